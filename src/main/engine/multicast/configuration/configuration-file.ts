/** asr's configuration of a stream, as a file: a property list in XML or binary. */
import { constants } from 'node:fs'
import { open, rename, unlink, writeFile } from 'node:fs/promises'
import { openFailure, readFailure, writeFailure } from '#engine/block-io'
import { UsageError } from '#shared/errors'
import type { ServerConfiguration } from '#shared/model'
import { isBinaryPlist, parseBinaryPlist } from './binary-plist.ts'
import { keys, readKeys, type Beside, type ReadConfiguration } from './configuration-keys.ts'
import { parseXmlPlist } from './xml-plist.ts'

/** A configuration has some hundred bytes. */
const mostBytes = 1024 * 1024

/**
 * `defaults write /tmp/config` makes /tmp/config.plist, so that is found, too. Throws UsageError E_MC_CONFIG; DeviceError when the file
 * can't be read.
 */
export async function readConfiguration(path: string, beside?: Beside): Promise<ReadConfiguration> {
  const found = await readSmall(path).catch(async (error: unknown) => {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'E_NOT_FOUND'
    if (!isMissing || path.endsWith('.plist')) throw error
    return await readSmall(`${path}.plist`).catch(() => {
      throw error
    })
  })
  return parseConfiguration(found.bytes, found.path, beside)
}

/** The same of bytes; `path` is for messages. Throws UsageError E_MC_CONFIG. */
export function parseConfiguration(bytes: Uint8Array, path: string, beside?: Beside): ReadConfiguration {
  const values = isBinaryPlist(bytes) ? parseBinaryPlist(bytes) : parseXmlPlist(bytes)
  if (values === null)
    throw new UsageError('E_MC_CONFIG', `${path} is no property list`, {
      details: {
        input: '--config',
        path,
        problem: 'The configuration is no property list.',
        hint: 'It looks like <plist version="1.0"><dict><key>Data Rate</key><integer>12000000</integer><key>Multicast Address</key><string>239.255.0.1</string></dict></plist>. The Multicast Server panel saves one, too.',
      },
    })
  return readKeys(values, path, beside)
}

/** In XML, over what lies there, at once. Throws DeviceError. */
export async function writeConfiguration(path: string, configuration: ServerConfiguration): Promise<void> {
  const made = `${path}.${process.pid}.part`
  try {
    await writeFile(made, encodeConfiguration(configuration), { flag: 'wx', mode: 0o644 })
    await rename(made, path)
  } catch (error) {
    await unlink(made).catch(() => undefined)
    throw writeFailure(error, path, 0)
  }
}

/** What has asr's default is written all the same: a file that says what it does. */
export function encodeConfiguration(configuration: ServerConfiguration): string {
  const { dataRate, group, clientDataRate, advertise, loopSuspend, ttl, port } = configuration
  const integer = (value: number) => `<integer>${Math.round(value)}</integer>`
  const entries: [string, string][] = [
    ...(clientDataRate === null
      ? []
      : ([[keys.clientDataRate, integer(clientDataRate)]] as [string, string][])),
    [keys.advertise, advertise ? '<true/>' : '<false/>'],
    [keys.dataRate, integer(dataRate)],
    [keys.loopSuspend, integer(loopSuspend)],
    [keys.group, `<string>${group.replaceAll(/[<>&]/g, '')}</string>`],
    [keys.ttl, integer(ttl)],
    [keys.port, integer(port)],
  ]
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    '<dict>',
    ...entries.flatMap(([key, value]) => [`\t<key>${key}</key>`, `\t${value}`]),
    '</dict>',
    '</plist>',
    '',
  ].join('\n')
}

async function readSmall(path: string): Promise<{ readonly path: string; readonly bytes: Uint8Array }> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw openFailure(error, path, 'source')
  })
  try {
    const about = await handle.stat()
    if (!about.isFile() || about.size > mostBytes) return { path, bytes: new Uint8Array(0) }
    return { path, bytes: await handle.readFile() }
  } catch (error) {
    throw readFailure(error, path, 0, 'source')
  } finally {
    await handle.close()
  }
}
