// `--at`: the time as of which a command judges, for people who ask what tomorrow brings.
import { InvalidArgumentError, Option } from 'commander'
import { parseMoment, withinMs } from '../policy-file/calendar.ts'

/** `--at <date>`: epoch milliseconds; noon of a day. */
export const atOption = (): Option =>
  new Option('--at <date>', 'judge as of this date or RFC 3339 instant (default: now)').argParser((text) => {
    const moment = parseMoment(text)
    if (moment === undefined)
      throw new InvalidArgumentError('write it like 2027-01-31 or 2027-01-31T12:00:00Z')
    return withinMs(moment)
  })
