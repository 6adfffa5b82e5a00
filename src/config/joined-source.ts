// The files of a configuration read as one: of every part it is known in which file it stands, and in which folder paths
// that are written there begin.
import { dirname, resolve } from 'node:path'
import type { TextRange } from '../policy/text-excerpt.ts'
import type { ConfigIssue, Origin, Path } from './issue.ts'
import {
  mergeFiles,
  nodeAt,
  nodesTo,
  overrulingsWithin,
  replacedWithin,
  valueOf,
  type Place,
} from './merge.ts'
import type { Part, YamlSource } from './yaml-source.ts'

export interface JoinedSource {
  /** Plain data; undefined where every file is empty. */
  readonly value: unknown
  /** Values of the single files. */
  readonly values: readonly unknown[]
  /** Where the value in force begins; undefined where no file has it. */
  readonly originOf: (path: Path) => Origin | undefined
  /** What earlier files say differently, the nearest first. */
  readonly replacedAt: (path: Path) => readonly Origin[]
  /** Every part of which earlier files say something else. */
  readonly overruled: readonly Overruled[]
  /** Absolute folder of the file in which a value stands; of the first file where none has it, or for no path. */
  readonly folderOf: (path: Path | undefined) => string
  /** Makes an issue about a part; undefined where no file has it. */
  readonly issueAbout: (
    subject: Subject,
    message: string,
    hidden: readonly Place[],
  ) => ConfigIssue | undefined
  /** Parts of the files that mean a part of the joined value. */
  readonly placesOf: (path: Path) => readonly Place[]
}

export interface Overruled {
  readonly path: Path
  /** Where earlier files say it, the nearest first. */
  readonly over: readonly Origin[]
}

export interface Subject {
  readonly path: Path
  readonly part: Part
  /** The file that began it, where several make it up: something that is missing is missing there. */
  readonly first: boolean
}

/** One file. */
export interface NamedSource {
  readonly file: string
  readonly source: YamlSource
}

const START: TextRange = [0, 1]

/**
 * Joins files; later ones win.
 * @param sources never empty; none of them has issues. Never throws.
 */
export const joinSources = (sources: readonly NamedSource[]): JoinedSource => {
  const values = sources.map(({ source }) => source.value)
  const top = mergeFiles(values)
  const given = top === undefined ? [] : replacedWithin(top)
  const sourceOf = ({ file }: Place): YamlSource | undefined => sources[file]?.source
  const originAt = (place: Place): Origin | undefined => sourceOf(place)?.originOf(place.path)
  const rangeAt = (place: Place, part: Part): TextRange | undefined =>
    sourceOf(place)?.rangeOf(place.path, part)
  const folderOf = (place: Place | undefined): string =>
    dirname(resolve(sources[place?.file ?? 0]?.file ?? '.'))
  const originsAt = (places: readonly Place[]): readonly Origin[] =>
    places
      .map(originAt)
      .filter((origin) => origin !== undefined)
      .toReversed()
  const placesOf = (path: Path): readonly Place[] => nodeAt(top, path)?.places ?? []
  return {
    value: top === undefined ? undefined : valueOf(top),
    values,
    placesOf,
    originOf: (path) => placesOf(path).map(originAt).at(-1),
    replacedAt: (path) =>
      originsAt(nodesTo(top, path).flatMap(({ replaced }) => replaced.filter(({ differs }) => differs))),
    overruled:
      top === undefined
        ? []
        : overrulingsWithin(top, []).map(({ path, replaced }) => ({ path, over: originsAt(replaced) })),
    folderOf: (path) => folderOf(path === undefined ? undefined : placesOf(path).at(-1)),
    issueAbout: ({ path, part, first }, message, hidden) => {
      const places = path.length === 0 && first ? [{ file: 0, path }] : placesOf(path)
      const place = first ? places[0] : places.at(-1)
      if (place === undefined) return undefined
      const range = path.length === 0 ? START : rangeAt(place, part)
      if (range === undefined) return undefined
      // What gave way to a later file was never looked at: it may hold anything.
      const ranges = [...given, ...hidden]
        .filter((one) => one.file === place.file)
        .map((one) => rangeAt(one, 'value'))
        .filter((one) => one !== undefined)
      return sourceOf(place)?.issueAt(range, message, ranges)
    },
  }
}
