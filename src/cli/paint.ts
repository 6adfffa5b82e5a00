// Colour for people only: never for a pipe, never with NO_COLOR (no-color.org).
import { styleText } from 'node:util'

export type Style = 'red' | 'yellow' | 'green' | 'dim' | 'bold'

/** Colours a text for stdout, where stdout shows colours. */
export const paint = (style: Style, text: string): string =>
  styleText(style, text, { stream: process.stdout, validateStream: true })
