// One block against its seal: whole, or the one thing that says best what is wrong with it. Pure.
import { NOTHING, type SealLine } from './seal-line.ts'
import type { Finding, FindingKind, Spot } from './verify-finding.ts'
import { countOf, rangesText, type OrderFaults } from './verify-order.ts'

/** The last block line. */
export interface Head {
  readonly hash: string
  readonly block: number
  readonly seq: number
  readonly spot: Spot
  /** Its own hash fits: what the next one says of it can be compared. */
  readonly isWhole: boolean
}

/** A block as it was read. */
export interface BlockView {
  readonly seal: SealLine
  readonly spot: Spot
  /** The hash of the block line fits the line. */
  readonly isWhole: boolean
  /** Of the lines that were read. */
  readonly sha256: string
  readonly lines: number
  readonly firstSeq: number
  readonly from: Spot
  readonly faults: OrderFaults
  /** The block line before. */
  readonly head: Head | undefined
  readonly beginsLate: boolean
}

/** Judges a block; undefined = it is what was written. Never throws. */
export const blockFault = (view: BlockView): Finding | undefined => {
  const { seal, head } = view
  if (!view.isWhole) return about(view, 'edited', 'the line that ends the block is not what was written')
  const isSealed = view.sha256 === seal.sha256 && view.lines === seal.lines
  const order = orderFault(view, isSealed)
  if (order !== undefined) return order
  if (!isSealed)
    return view.lines < seal.lines
      ? about(view, 'missing', `${seal.lines - view.lines} of ${seal.lines} lines are not there`)
      : about(view, 'edited', 'its bytes are not those that were sealed')
  if (head === undefined) return beginFault(view)
  if (!head.isWhole) return undefined
  const follows = seal.block === head.block + 1 && seal.first === head.seq + 1
  if (!follows) return about(view, 'edited', 'it does not follow the block before it')
  return seal.prev === head.hash
    ? undefined
    : {
        ...about(view, 'edited', 'the block before it is not the one that it was sealed behind'),
        blocks: [head.block, seal.block],
        from: head.spot,
      }
}

/** @param isSealed the lines between the two block lines are whole, so that what is wrong lies before them */
const orderFault = (view: BlockView, isSealed: boolean): Finding | undefined => {
  const { seal, head, faults } = view
  const { missing, repeated, displaced } = faults
  if (countOf(missing) > displaced.length) {
    const blocks = seal.block - (head?.block ?? 0) - 1
    if (isSealed && blocks > 0) return blocksGone(view, blocks)
    return about(view, 'missing', `lines number ${rangesText(missing)} are not there`)
  }
  if (displaced.length > 0) return about(view, 'reordered', 'lines are not in the order of their numbers')
  if (repeated.length > 0) return about(view, 'repeated', 'lines come a second time')
  return undefined
}

const blocksGone = (view: BlockView, blocks: number): Finding => ({
  ...about(
    view,
    'missing',
    `${blocks === 1 ? 'a block is' : `${blocks} blocks are`} not there: lines number ${rangesText(view.faults.missing)}`,
  ),
  blocks: [(view.head?.block ?? 0) + 1, view.seal.block - 1],
  from: view.head?.spot ?? view.from,
  to: view.from,
})

/** The first block that was read: it is the first of its chain, or the files begin later. */
const beginFault = (view: BlockView): Finding | undefined => {
  const { seal, beginsLate } = view
  const isFirst = seal.block === 1 && seal.first === 1 && seal.prev === NOTHING
  return isFirst || (beginsLate && seal.block > 1)
    ? undefined
    : about(view, 'edited', 'it is not the first block of its chain, and claims to be')
}

const about = (
  { seal, head, from, spot, beginsLate }: BlockView,
  kind: FindingKind,
  what: string,
): Finding => {
  const next = head === undefined ? (beginsLate ? seal.block : 1) : head.block + 1
  return {
    kind,
    writer: seal.writer,
    blocks: [Math.min(next, seal.block), seal.block],
    from,
    to: spot,
    what,
  }
}
