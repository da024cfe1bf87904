/** What a session can't be started with, each with its own words. The window and a manager may send anything. */
import { checkGroup } from '#engine/multicast/network'
import { UsageError } from '#shared/errors'
import {
  longestSessionName,
  parseAdmissionRule,
  sessionNameBytes,
  settingBounds,
  type ServerConfiguration,
  type SessionSettings,
} from '#shared/model'

/** Throws UsageError E_USAGE, NetworkError E_MC_ADDR. */
export function checkSettings({ name, admission, configuration }: SessionSettings): void {
  checkName(name)
  for (const rule of admission) parseAdmissionRule(rule)
  checkRates(configuration)
  checkGroup(configuration.group)
  const { ttl, port, loopSuspend } = configuration
  if (!isWhole(ttl, settingBounds.ttl)) throw wrongSetting('ttl', 'The TTL is from 1 to 255.', '3 is usual.')
  if (!isWhole(port, settingBounds.port))
    throw wrongSetting('port', 'The port is from 1 to 65535.', '7800 is usual.')
  if (!isWhole(loopSuspend, settingBounds.loopSuspend))
    throw wrongSetting(
      'loopSuspend',
      'Loop Suspend is a number of laps up to 1,000,000; 0: never.',
      'Choose 2.',
    )
}

/** What it is called in terminals, addresses and on the network: nothing that can't be seen. */
function checkName(name: string): void {
  const characters = Array.from(name)
  const hint = `It has 1 to ${longestSessionName.characters} characters: letters, digits, spaces and signs, in any script.`
  if (characters.length === 0) throw wrongSetting('name', 'A session needs a name.', hint)
  if (characters.length > longestSessionName.characters)
    throw wrongSetting('name', `That name has ${characters.length} characters.`, hint)
  const index = characters.findIndex((character) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(character))
  if (index === -1) return checkNameBytes(name)
  const number = characters[index]?.codePointAt(0) ?? 0
  const code = `U+${number.toString(16).toUpperCase().padStart(4, '0')}`
  const found = invisible[number] ?? "a character that can't be seen"
  throw wrongSetting('name', `Character ${index + 1} of that name is ${found} (${code}).`, hint)
}

/** After what is wrong with its characters, as few scripts need so many. */
function checkNameBytes(name: string): void {
  const bytes = sessionNameBytes(name)
  const { bytes: most } = longestSessionName
  if (bytes > most)
    throw wrongSetting('name', `That name has ${bytes} bytes of UTF-8.`, `It has ${most} at most.`)
}

const invisible: { readonly [number: number]: string } = {
  0x09: 'a tab',
  0x0a: 'a line break',
  0x0d: 'a line break',
  0x1b: 'the start of a terminal command',
  0x200b: 'a space of no width',
  0x202d: 'a mark that turns writing around',
  0x202e: 'a mark that turns writing around',
}

/** Throws UsageError E_USAGE. */
export function checkRates({
  dataRate,
  clientDataRate,
}: Pick<ServerConfiguration, 'dataRate' | 'clientDataRate'>): void {
  if (!isWithin(dataRate, settingBounds.dataRate))
    throw wrongSetting(
      'dataRate',
      'The Data Rate is bytes a second, from 10,000 to 10,000,000,000.',
      'On a gigabit network 12,000,000 is usual.',
    )
  if (clientDataRate !== null && !isWithin(clientDataRate, settingBounds.clientDataRate))
    throw wrongSetting(
      'clientDataRate',
      'The Client Data Rate is bytes a second, from 1 to 10,000,000,000.',
      'Or leave it off.',
    )
}

/** `problem` and `hint` are whole sentences. */
export const wrongSetting = (input: string, problem: string, hint?: string): UsageError =>
  new UsageError('E_USAGE', problem, { details: { input, problem, ...(hint === undefined ? {} : { hint }) } })

interface Bounds {
  readonly least: number
  readonly most: number
}

const isWithin = (value: number, { least, most }: Bounds): boolean => value >= least && value <= most
const isWhole = (value: number, bounds: Bounds): boolean => Number.isInteger(value) && isWithin(value, bounds)
