/** `reprise devices`: every disk, what is on it, and whether it can be a target. */
import type { Disk, Volume } from '#shared/model'
import { formatBytes } from '#shared/units'
import { describeBus, describeFilesystem, describeProtection } from '#shared/words'
import { noOperands } from './arguments.ts'
import { exitDone } from './exit-status.ts'
import { jsonLine } from './json-lines.ts'
import { table } from './table.ts'
import { refuseWhereUnsupported } from './unsupported.ts'
import { defineVerb, openLog } from './verb.ts'

export const devices = defineVerb({
  name: 'devices',
  summary: 'List disks and volumes, and which of them are protected.',
  synopsis: '[--json]',
  notes: ['With --json, one disk a line, with everything known of it.'],
  options: {},
  operands: noOperands,
  async run(context, values) {
    const engines = await context.engines(openLog(context, values))
    refuseWhereUnsupported(engines)
    const disks = await engines.listDisks()
    context.terminal.write(values.json ? disksAsJson(disks) : disksAsText(disks))
    return exitDone
  },
})

const disksAsJson = (disks: readonly Disk[]): string => disks.map((disk) => jsonLine('disk', disk)).join('')

export function disksAsText(disks: readonly Disk[]): string {
  if (disks.length === 0) return 'No disks were found.\n'
  return table(
    [
      { title: 'DEVICE' },
      { title: 'SIZE', align: 'right' },
      { title: 'BUS' },
      { title: 'FORMAT' },
      { title: 'NAME' },
      { title: 'MOUNTED AT' },
      { title: 'NOTE' },
    ],
    disks.flatMap(rowsOf),
  )
}

function rowsOf(disk: Disk): readonly (readonly string[])[] {
  // Without a partition map, the disk and its one volume are the same line.
  const whole = disk.volumes.length === 1 ? disk.volumes.find(({ path }) => path === disk.path) : undefined
  const name = whole === undefined || whole.label === null ? disk.name : `${disk.name} (${whole.label})`
  const format = whole === undefined ? mapName(disk) : formatOf(whole)
  return [
    [
      disk.path,
      formatBytes(disk.sizeBytes),
      describeBus(disk.bus),
      format,
      name,
      (whole?.mountPoints ?? []).join(', '),
      noteOf(disk),
    ],
    ...(whole === undefined ? disk.volumes : []).map((volume) => [
      `  ${volume.path}`,
      formatBytes(volume.sizeBytes),
      '',
      formatOf(volume),
      volume.label ?? volume.partitionType ?? '',
      volume.mountPoints.join(', '),
      volume.readOnly && !disk.readOnly ? 'read-only' : '',
    ]),
  ]
}

const mapName = (disk: Disk) => (disk.partitionMap === 'none' ? '' : disk.partitionMap.toUpperCase())
const formatOf = (volume: Volume) => (volume.filesystem === null ? '' : describeFilesystem(volume.filesystem))

function noteOf(disk: Disk): string {
  const notes = [
    disk.protection === null ? null : `protected: ${describeProtection(disk.protection)}`,
    disk.practice ? 'practice disk' : null,
    disk.busy ? 'in use by a restore' : null,
    disk.removable ? 'removable' : null,
  ]
  return notes.filter((note) => note !== null).join(', ')
}
