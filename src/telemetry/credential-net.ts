// The last net under a rule: nobody hands the service log a text that holds a credential. Messages of other people's
// errors are such texts now and then.

/**
 * Takes out query strings, user parts of URLs, what follows a scheme of `Authorization`, and long runs of the
 * characters that tokens are made of. Never throws.
 */
export const withoutCredentials = (text: string): string =>
  text
    .replaceAll(/\?[^\s"'`)]*/g, '?…')
    .replaceAll(/:\/\/[^\s/@]*@/g, '://…@')
    .replaceAll(/\b(Bearer|Basic|Negotiate)\s+[^\s"'`,]+/gi, '$1 …')
    .replaceAll(/[\w+=~-]{24,}(?:\.[\w+=~-]*)*/g, '…')
