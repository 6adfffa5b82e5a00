// The one script, inline and pinned by hash. No page needs it; it only improves: it carries the `#fragment` over a
// sign-in, which no server may ever see, and adds to the page about a circle what only the browser knows.
import { createHash } from 'node:crypto'

/**
 * `data-fragment` on a link says what to do: `pass` hands the fragment of this page on, or the one that the tab's storage
 * kept for it; `keep` puts it into the tab's storage and leaves; `restore` takes it out again and leaves. Only what follows
 * `#` of the link's own address changes.
 */
export const SCRIPT = `(()=>{"use strict"
const page=document,here=location
const kept=key=>{try{return sessionStorage.getItem(key)}catch{}}
for(const link of page.querySelectorAll("a[data-fragment]")){
const{fragment:deed,key}=link.dataset
if(deed==="pass"){const hash=here.hash||kept(key);if(hash&&!link.hash)link.hash=hash;continue}
if(deed==="keep")try{here.hash?sessionStorage.setItem(key,here.hash):sessionStorage.removeItem(key)}catch{}
if(deed==="restore"){const hash=kept(key);if(hash){sessionStorage.removeItem(key);if(!link.hash)link.hash=hash}}
here.replace(link.href)
}
const more=page.querySelector("[data-clock]")
if(more){
const off=Math.round((Date.now()-Number(more.dataset.clock))/1000)
const say=(name,text)=>{more.querySelector("[data-say="+name+"]").textContent=text}
say("scheme",here.protocol.slice(0,-1))
say("clock",off+" s")
say("cookies",navigator.cookieEnabled?more.dataset.yes:more.dataset.no)
more.hidden=false
}})()`

/** Source expression for `script-src` (CSP3 §2.3.1): these bytes and no other script. */
export const SCRIPT_SOURCE = `'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`
