/** The tree's shape: only what makes rows come, go or change their name. Pure. */
import {
  diskId,
  groupOf,
  imageId,
  sidebarGroups,
  streamId,
  volumeId,
  volumeName,
  type EngineMirror,
  type GroupName,
  type ItemId,
  type ViewState,
} from '#renderer/store'
import type { Disk } from '#shared/model'

export interface RowData {
  readonly id: ItemId
  readonly name: string
  /** Rows below it. */
  readonly volumes: readonly { readonly id: ItemId; readonly name: string }[]
}

interface TreeGroup {
  readonly name: GroupName
  /** None of External where no such disk is connected: the group is there all the same, and says so. */
  readonly rows: readonly RowData[]
}

export function treeOf(mirror: EngineMirror, view: ViewState): readonly TreeGroup[] {
  const groups = sidebarGroups(mirror, view).map((group) => ({
    name: group.name,
    rows: [
      ...group.disks.flatMap((path): readonly RowData[] => {
        const disk = mirror.disks[path]
        if (!disk) return [{ id: diskId(path), name: path, volumes: [] }]
        // Nobody finds the Practice disk by the name of what is on it, and it is blank at times.
        return view.listed === 'volumes' && !disk.practice ? volumeRows(disk) : [diskRow(disk)]
      }),
      ...group.images.map((path): RowData => ({
        id: imageId(path),
        name: view.images.find((image) => image.path === path)?.name ?? path,
        volumes: [],
      })),
      ...group.streams.map((locator): RowData => ({
        id: streamId(locator),
        name: mirror.streams.find((stream) => stream.locator === locator)?.name ?? locator,
        volumes: [],
      })),
    ],
  }))
  const shown: readonly TreeGroup[] = groups.filter(({ rows }) => rows.length > 0)
  if (!lacksDisks(mirror)) return shown
  const [internal, others] = [shown.filter(isInternal), shown.filter((group) => !isInternal(group))]
  return [...internal, { name: 'external', rows: [] }, ...others]
}

const isInternal = ({ name }: TreeGroup) => name === 'internal'

/** As far as the host has been asked. */
const lacksDisks = ({ connection, app, disks }: EngineMirror): boolean =>
  connection.state !== 'connecting' &&
  app !== null &&
  !Object.values(disks).some((disk) => groupOf(disk) === 'external')

const diskRow = (disk: Disk): RowData => ({
  id: diskId(disk.path),
  name: disk.name,
  volumes: disk.volumes.map((volume) => ({ id: volumeId(volume.path), name: volumeName(volume) })),
})

const volumeRows = ({ volumes }: Disk): readonly RowData[] =>
  volumes.map((volume) => ({ id: volumeId(volume.path), name: volumeName(volume), volumes: [] }))
