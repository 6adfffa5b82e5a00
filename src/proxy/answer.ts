// Step 5's value: what goes back to the proxy.

/** Status, flat header list (name, value, name, value …) ready for the socket, and a body where the dialect has one. */
export interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: string
}
