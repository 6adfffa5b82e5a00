// How far clocks may differ.

/** Times that somebody else wrote (issuers, providers, other replicas) are read with this tolerance. */
export const SKEW_SECONDS = 60
