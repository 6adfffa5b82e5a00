// `npm run schemas`: writes the JSON Schemas that editors and other tools read, from the very schemas that the service
// reads with. With `--check` it writes nothing and fails where a file is not what it would write.
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { configSchema } from '../src/config/schema.ts'
import { policySchema } from '../src/policy-file/schema.ts'

interface SchemaFile {
  readonly file: string
  readonly title: string
  readonly schema: z.ZodType
}

const SCHEMAS: readonly SchemaFile[] = [
  { file: 'policy.schema.json', title: 'Postern policy (policies/<app>.yaml)', schema: policySchema },
  { file: 'config.schema.json', title: 'Postern configuration (postern.yaml)', schema: configSchema },
]

const textOf = ({ file, title, schema }: SchemaFile): string => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-07' })
  return `${JSON.stringify({ $schema, $id: file, title, ...rest }, undefined, 2)}\n`
}

const isCurrent = (one: SchemaFile): boolean => {
  try {
    return readFileSync(one.file, 'utf8') === textOf(one)
  } catch {
    // A schema that is not there is not current.
    return false
  }
}

const stale = SCHEMAS.filter((one) => !isCurrent(one))
if (process.argv.includes('--check')) {
  for (const { file } of stale) console.error(`${file} is stale; run \`npm run schemas\``)
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  for (const one of stale) {
    writeFileSync(one.file, textOf(one))
    console.error(`wrote ${one.file}`)
  }
}
