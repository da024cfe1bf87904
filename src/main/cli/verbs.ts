/** The verbs by name, and which one an argument list means. */
import { absentVerbs, refuseAbsent } from './absent.ts'
import { usageError } from './arguments.ts'
import { suggest } from './suggest.ts'
import type { Verb } from './verb.ts'

/** In the order of the help. */
const verbs: { readonly [name: string]: () => Promise<Verb> } = {
  restore: async () => (await import('./restore.ts')).restore,
  server: async () => (await import('./server.ts')).server,
  imagescan: async () => (await import('./imagescan.ts')).imagescan,
  info: async () => (await import('./scan-info.ts')).info,
  devices: async () => (await import('./devices.ts')).devices,
  'image info': async () => (await import('./image-info.ts')).imageInfo,
  'image verify': async () => (await import('./image-verify.ts')).imageVerify,
  'image checksum': async () => (await import('./image-checksum.ts')).imageChecksum,
  'image create': async () => (await import('./image-create.ts')).imageCreate,
  'image convert': async () => (await import('./image-convert.ts')).imageConvert,
  'image resize': async () => (await import('./image-resize.ts')).imageResize,
  'image compact': async () => (await import('./image-resize.ts')).imageCompact,
  'session start': async () => (await import('./session-start.ts')).sessionStart,
  'session list': async () => (await import('./session-list.ts')).sessionList,
  'session status': async () => (await import('./session-control.ts')).sessionStatus,
  'session stop': async () => (await import('./session-control.ts')).sessionStop,
  'session start-now': async () => (await import('./session-control.ts')).sessionStartNow,
  'session set-rate': async () => (await import('./session-control.ts')).sessionSetRate,
  'session precedence': async () => (await import('./session-control.ts')).sessionPrecedence,
  web: async () => (await import('./programs.ts')).web,
  'engine-host': async () => (await import('./programs.ts')).engineHost,
  help: async () => (await import('./help.ts')).help,
  version: async () => (await import('./version.ts')).version,
}

export const verbNames = (): readonly string[] => Object.keys(verbs)

/** The verbs of two words that begin with `first`, those that aren't there included. */
export const verbGroup = (first: string): readonly string[] =>
  [...verbNames(), ...absentVerbs].filter((name) => name.startsWith(`${first} `))

/** Throws for a name that isn't there. */
export async function loadVerb(name: string): Promise<Verb> {
  const load = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (load === undefined) throw unknownVerb(name)
  return load()
}

/** The verb that `words` begin with, and how many of them are its name. Throws UsageError for none. */
export function findVerb(words: readonly string[]): { readonly name: string; readonly length: number } {
  const [first = '', second] = words
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ')
    refuseAbsent(name)
    if (Object.hasOwn(verbs, name)) return { name, length }
  }
  const group = verbGroup(first)
  if (group.length > 0) throw incompleteVerb(first, second, group)
  throw unknownVerb(first)
}

function incompleteVerb(first: string, second: string | undefined, group: readonly string[]) {
  const works = group
    .filter((name) => Object.hasOwn(verbs, name))
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1')
  if (second === undefined || second.startsWith('-')) {
    return usageError(first, `The verb ${first} needs a second word.`, `Use ${works}.`)
  }
  const meant = suggest(`${first} ${second}`, group)
  return usageError(
    second,
    `There is no ${first} ${second}.`,
    meant === null ? `Use ${works}.` : `Did you mean ${meant}?`,
  )
}

function unknownVerb(name: string) {
  const meant = suggest(name, [...verbNames(), ...absentVerbs])
  return usageError(
    name,
    `There is no verb '${name}'.`,
    meant === null ? 'reprise help lists the verbs.' : `Did you mean ${meant}?`,
  )
}
