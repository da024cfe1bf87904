/** The engine with its real processes. */
import type { Logger } from '#shared/log'
import type { Engine } from './engine.ts'
import { createEngine } from './engine.ts'
import { startElevatedHost } from './elevated-host.ts'
import { elevatedCommand, engineCommand } from './engine-command.ts'
import { startHost } from './host-process.ts'

/** A start takes a third of a second; a machine under load is given its time. */
const helloTimeoutMs = 20_000

export function createSystemEngine({
  version,
  log,
}: {
  readonly version: string
  readonly log: Logger
}): Engine {
  const command = engineCommand()
  const elevated = elevatedCommand()
  return createEngine({
    log,
    environment: process.env,
    start: () => startHost(command, { version, helloTimeoutMs }),
    elevate: (signal) => startElevatedHost({ command: elevated, version, signal }),
  })
}
