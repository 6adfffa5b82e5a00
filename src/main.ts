#!/usr/bin/env node
// argv → command; the only place that ends the process.
import { runProgram } from './cli/program.ts'

process.exitCode = await runProgram(process.argv.slice(2))
