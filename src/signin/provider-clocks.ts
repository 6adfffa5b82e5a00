// How far this machine's clock is from each provider's, as the last sign-in showed it: an ID token is made a moment
// before it is read. Only told to operators; no decision depends on it.

export interface ProviderClocks {
  /** Compares when a token was made, by the provider's clock, with now, by ours. */
  readonly note: (provider: string, issuedAtSeconds: number) => void
  /** Seconds by which ours is ahead, a moment of travel included; negative = behind. */
  readonly all: () => ReadonlyMap<string, number>
}

/** Makes an empty comparison; one entry for each provider. */
export const makeProviderClocks = (nowMs: () => number): ProviderClocks => {
  const ahead = new Map<string, number>()
  return {
    note: (provider, issuedAtSeconds) =>
      void ahead.set(provider, Math.round(nowMs() / 1000 - issuedAtSeconds)),
    all: () => ahead,
  }
}
