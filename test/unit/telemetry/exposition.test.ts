// The text of a scrape in both formats, and which of them a scraper gets.
import { describe, expect, it } from 'vitest'
import {
  familyPieces,
  formatFor,
  type Family,
  type Format,
  type Sample,
} from '../../../src/telemetry/exposition.ts'

const family = (
  type: Family['type'],
  name: string,
  labelNames: readonly string[],
  samples: readonly Sample[],
): Family => ({ name, help: 'A help', type, series: () => [{ labelNames, samples }] })

const familyText = (one: Family, format: Format): string => [...familyPieces(one, format)].join('')

const counter = family(
  'counter',
  'postern_x_total',
  ['route'],
  [
    { labels: ['a'], value: 3 },
    { labels: ['q"\\\n'], value: 0 },
  ],
)

describe('a family', () => {
  it('of counts keeps its name in the plain format', () => {
    expect(familyText(counter, 'prometheus')).toBe(
      '# HELP postern_x_total A help\n# TYPE postern_x_total counter\n' +
        'postern_x_total{route="a"} 3\npostern_x_total{route="q\\"\\\\\\n"} 0\n',
    )
  })

  it('of counts is named without `_total` in OpenMetrics, and its samples with it', () => {
    expect(familyText(counter, 'openmetrics').split('\n').slice(0, 3)).toEqual([
      '# HELP postern_x A help',
      '# TYPE postern_x counter',
      'postern_x_total{route="a"} 3',
    ])
  })

  it.each([
    ['prometheus', 'x_bucket{le="1"} 2', 'x_bucket{le="+Inf"} 3'],
    ['openmetrics', 'x_bucket{le="1.0"} 2', 'x_bucket{le="+Inf"} 3'],
  ] as const)('of a histogram writes its bounds as %s wants them', (format, one, last) => {
    const histogram = family(
      'histogram',
      'x',
      ['le'],
      [
        { suffix: '_bucket', labels: [1], value: 2 },
        { suffix: '_bucket', labels: [Number.POSITIVE_INFINITY], value: 3 },
      ],
    )
    expect(familyText(histogram, format).split('\n').slice(2, 4)).toEqual([one, last])
  })

  it('of many series comes in pieces, and loses none', () => {
    const samples = Array.from({ length: 1_201 }, (_, index) => ({ labels: [`r${index}`], value: index }))
    const pieces = [...familyPieces(family('gauge', 'x', ['route'], samples), 'prometheus')]
    expect(pieces).toHaveLength(3)
    const lines = pieces.join('').split('\n').slice(2, -1)
    expect(lines).toEqual(samples.map(({ labels, value }) => `x{route="${labels[0]}"} ${value}`))
  })

  it('without labels has no braces, and numbers that are none have a name', () => {
    const values = [Number.NaN, Number.NEGATIVE_INFINITY, 1e-7]
    const gauge = family(
      'gauge',
      'x',
      [],
      values.map((value) => ({ labels: [], value })),
    )
    expect(familyText(gauge, 'prometheus').split('\n').slice(2, 5)).toEqual(['x NaN', 'x -Inf', 'x 1e-7'])
  })
})

describe('the format', () => {
  it.each([
    ['application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5', 'openmetrics'],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
    ['Application/OpenMetrics-Text', 'openmetrics'],
    ['application/openmetrics-text;version=0.0.1', 'prometheus'],
    ['application/openmetrics-text;version=1.0.0;q=0', 'prometheus'],
    ['application/openmetrics-text;q=0.2, text/plain;q=0.9', 'prometheus'],
    ['text/plain', 'prometheus'],
    ['*/*', 'prometheus'],
    ['', 'prometheus'],
    [';;q=,,=', 'prometheus'],
  ] as const)('for %j is %s', (accept, format) => {
    expect(formatFor(accept)).toBe(format)
  })

  it('for nobody in particular is the plain one', () => {
    expect(formatFor(undefined)).toBe('prometheus')
  })
})
