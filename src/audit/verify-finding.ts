// What a check of a log finds, in the words that people and programs get.

/** A line of a file, from 1. */
export interface Spot {
  readonly file: string
  readonly line: number
}

/** What cannot have come about by itself. */
export type FindingKind =
  /** bytes are not those that were sealed */
  | 'edited'
  /** lines or blocks are not there */
  | 'missing'
  | 'repeated'
  | 'reordered'
  /** no line of this log, or of a writer that never sealed anything */
  | 'foreign'
  /** the end is not there that somebody else knows of */
  | 'cut-off'
  /** a chain that nobody vouches for, or not to where it should be, though a key was given */
  | 'unsigned'
  /** a checkpoint whose signature is not that of the key */
  | 'signature'

/** What comes about by itself, and is to be known. */
export type NoteKind =
  /** the last lines of a writer that was killed, or still writes */
  | 'torn'
  /** a chain that was not closed: its writer was killed, still writes, or its end is cut off */
  | 'open'
  /** the files begin later than the chain does */
  | 'begins-late'
  /** blocks after the last checkpoint */
  | 'not-signed'
  /** there are signatures, and no key was given */
  | 'not-checked'

interface About {
  readonly writer: string | undefined
  /** First and last number of the blocks in which it lies. */
  readonly blocks: readonly [number, number] | undefined
  readonly from: Spot
  readonly to: Spot
  readonly what: string
}

export type Finding = About & { readonly kind: FindingKind }
export type Note = About & { readonly kind: NoteKind }

/** Receives what is found while it is found. */
export interface Listener {
  readonly finding: (finding: Finding) => void
  readonly note: (note: Note) => void
}

/** One writer's chain, as far as it was read. */
export interface WriterReport {
  readonly writer: string
  /** Blocks that were read, without the faulty ones. */
  readonly blocks: number
  /** Number of the last line of the last block; undefined where none ended. */
  readonly sealedTo: number | undefined
  /** `hash` of its last block line. */
  readonly head: string | undefined
  readonly checkpoints: number
  /** How it ends: closed; after a whole block, so that it may go on; or within one. */
  readonly end: 'closed' | 'open' | 'torn'
}
