/** What a session can't be started with, each with its own words. The window and a manager may send anything. */
import { checkGroup } from '#engine/multicast/network'
import { UsageError } from '#shared/errors'
import { parseAdmissionRule, type ServerConfiguration, type SessionSettings } from '#shared/model'

/** Throws UsageError E_USAGE, NetworkError E_MC_ADDR. */
export function checkSettings({ name, admission, configuration }: SessionSettings): void {
  if (!/^[^\p{Cc}\p{Cf}]{1,63}$/u.test(name))
    throw wrongSetting('name', "A session's name has 1 to 63 characters.", 'Choose another name.')
  for (const rule of admission) parseAdmissionRule(rule)
  checkRates(configuration)
  checkGroup(configuration.group)
  const { ttl, port, loopSuspend } = configuration
  if (!isWhole(ttl, 1, 255)) throw wrongSetting('ttl', 'The TTL is from 1 to 255.', '3 is usual.')
  if (!isWhole(port, 1, 65_535)) throw wrongSetting('port', 'The port is from 1 to 65535.', '7800 is usual.')
  if (!isWhole(loopSuspend, 0, Number.MAX_SAFE_INTEGER) || loopSuspend === 1)
    throw wrongSetting('loopSuspend', 'Loop Suspend is 0 (never), or 2 and more.', 'Choose 2.')
}

/** A stream slower than that would take weeks, faster than that no network is. */
const rates = { least: 10_000, most: 10_000_000_000 }

/** Throws UsageError E_USAGE. */
export function checkRates({
  dataRate,
  clientDataRate,
}: Pick<ServerConfiguration, 'dataRate' | 'clientDataRate'>): void {
  if (!(dataRate >= rates.least && dataRate <= rates.most))
    throw wrongSetting(
      'dataRate',
      'The Data Rate is bytes a second, from 10,000 to 10,000,000,000.',
      'On a gigabit network 12,000,000 is usual.',
    )
  if (clientDataRate !== null && !(clientDataRate >= 1))
    throw wrongSetting(
      'clientDataRate',
      'The Client Data Rate is bytes a second, 1 or more.',
      'Or leave it off.',
    )
}

/** `problem` and `hint` are whole sentences. */
export const wrongSetting = (input: string, problem: string, hint?: string): UsageError =>
  new UsageError('E_USAGE', problem, { details: { input, problem, ...(hint === undefined ? {} : { hint }) } })

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most
