/** Everything about the network that can be tried before a stream starts, one line each, and what to look at where it fails. */
import { AppError, NetworkError, serializeError, type SerializedError } from '#shared/errors'
import type { NetworkCheck, NetworkInterface, SessionSettings } from '#shared/model'
import { checkPort } from './check-port.ts'
import { rateTrouble, ttlTrouble } from './doubtful-settings.ts'
import { checkGroup } from './group-address.ts'
import { findInterface } from './interfaces.ts'
import { sendTestPacket, type TestPacketPlan } from './test-packet.ts'

export interface NetworkCheckDeps {
  readonly findInterface: (wanted: string | null) => Promise<NetworkInterface>
  /** Throws NetworkError E_MC_PORT. Not asked for a port that is the server's own already. */
  readonly checkPort: (port: number) => Promise<void>
  readonly sendTestPacket: (plan: TestPacketPlan, signal?: AbortSignal) => Promise<void>
  /** The server asking has it. */
  readonly ownsPort: (port: number) => boolean
}

export const systemChecks: NetworkCheckDeps = {
  findInterface,
  checkPort,
  sendTestPacket,
  ownsPort: () => false,
}

/** In this order: interface, address, port, rate, ttl, loopback. Rejects with the signal's reason only. */
export async function checkNetwork(
  { configuration, interface: wanted }: Pick<SessionSettings, 'configuration' | 'interface'>,
  deps: NetworkCheckDeps = systemChecks,
  signal?: AbortSignal,
): Promise<readonly NetworkCheck[]> {
  const { group, port, ttl, dataRate } = configuration
  let found: NetworkInterface | null = null
  const checks: NetworkCheck[] = []
  const note = (
    step: NetworkCheck['step'],
    error: SerializedError | null,
    state: 'failed' | 'warning' = 'failed',
  ) => {
    checks.push({ step, state: error === null ? 'ok' : state, error })
  }
  const attempt = async (step: NetworkCheck['step'], work: () => void | Promise<void>) => {
    signal?.throwIfAborted()
    try {
      await work()
      note(step, null)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      note(step, serializeError(error))
    }
  }

  await attempt('interface', async () => {
    found = await deps.findInterface(wanted)
  })
  await attempt('address', () => checkGroup(group))
  if (deps.ownsPort(port)) note('port', null)
  else await attempt('port', () => deps.checkPort(port))
  note('rate', rateTrouble(dataRate, found), 'warning')
  const isTtlPossible = Number.isInteger(ttl) && ttl >= 1 && ttl <= 255
  note('ttl', isTtlPossible && ttl > 1 ? null : ttlTrouble(ttl), isTtlPossible ? 'warning' : 'failed')
  await attempt('loopback', async () => {
    const on: NetworkInterface | null = found
    // Without the one there is nothing to try the other on; what to do is said above.
    if (
      on === null ||
      checks.some(({ step, state }) => step === 'address' && state === 'failed') ||
      !isTtlPossible
    )
      throw new NetworkError('E_MC_LOOP', 'not tried', { details: { address: group, phase: 'test', port } })
    const { address, name } = on
    await deps.sendTestPacket({ group, port, ttl, address, interfaceName: name }, signal)
  })
  return checks
}
