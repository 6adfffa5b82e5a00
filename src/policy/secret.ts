// A string that cannot print itself: whatever formats, serialises or inspects it gets a placeholder instead. Only
// `reveal` hands the text out, so that a review finds every use by searching for that word.

const PLACEHOLDER = '[secret]'

/** Guards one secret text. The text sits in a private field: it is neither enumerable, cloned nor reflected. */
export class Secret {
  readonly #text: string

  /** @param text the secret; kept as it is. */
  constructor(text: string) {
    this.#text = text
  }

  /** Hands the text out, for the one call that needs it. Never throws. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return PLACEHOLDER
  }

  toJSON(): string {
    return PLACEHOLDER
  }

  /** What console and error formatters of Node show. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return PLACEHOLDER
  }
}
