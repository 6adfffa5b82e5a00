// One thing that is wrong with the configuration: what, where, and how to mend it. Holds no value of a secret.

/** Steps from the top of the configuration to one value. */
export type Path = readonly (string | number)[]

/** Where a value of the configuration was written. */
export type Origin =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'default' }

export interface ConfigIssue {
  readonly origin: Origin
  /** One sentence; begins with the key in backticks where there is one. */
  readonly message: string
  /** The line of the file with a caret below; undefined where the value is from elsewhere. */
  readonly excerpt: string | undefined
}

/** A path as it is written in messages, e.g. `providers[0].clientSecret`. */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  )

/** Names a place: `postern.yaml:3:10`, a variable, a flag, or `default`. */
export const originText = (origin: Origin): string => {
  switch (origin.kind) {
    case 'file':
      return `${origin.file}:${origin.line}:${origin.column}`
    case 'variable':
    case 'flag':
      return origin.name
    case 'default':
      return 'default'
  }
}

/** An issue as it is printed: place and message, then the excerpt. No final line break. */
export const issueText = (issue: ConfigIssue): string =>
  `${originText(issue.origin)}: ${issue.message}${issue.excerpt === undefined ? '' : `\n${issue.excerpt}`}`
