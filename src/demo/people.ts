// Who can sign in to the demo: three people in three groups, with passwords that live for one run.

export interface Person {
  readonly username: string
  readonly password: string
  readonly name: string
  readonly email: string
  readonly groups: readonly string[]
}

/** Without letters and digits that look alike, since somebody types them from a terminal. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'
const PASSWORD_LENGTH = 8

/**
 * The people of the demo, each with a fresh password.
 * @param random a whole number from 0 to below `max`
 */
export const makePeople = (random: (max: number) => number): readonly Person[] => {
  const password = (): string =>
    Array.from({ length: PASSWORD_LENGTH }, () => ALPHABET[random(ALPHABET.length)]).join('')
  return [
    { ...person('ada', 'Ada Lovelace', 'sre'), password: password() },
    { ...person('ben', 'Ben Okafor', 'eng'), password: password() },
    { ...person('cy', 'Cy Lindqvist', 'contractors'), password: password() },
  ]
}

const person = (username: string, name: string, group: string): Omit<Person, 'password'> => ({
  username,
  name,
  email: `${username}@example.com`,
  groups: [group],
})
