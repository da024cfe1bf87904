/**
 * A row's context menu: everything a drag does, and what the menus offer for it. It names what it was opened on, and acts on what is
 * at the row's path: where that is another disk by now, or nothing, it closes.
 */
import { useEffect, useState } from 'react'
import { ContextMenu, type ContextMenuPlace, type MenuEntry, type MenuGroup } from '#renderer/components'
import {
  canEject,
  canResetPractice,
  describeObstacle,
  describeProblem,
  findItem,
  imageCan,
  isDeviceItem,
  isLocked,
  itemName,
  itemProblem,
  sameData,
  sameDevice,
  sourceObstacle,
  useActions,
  useBoth,
  useReprise,
  type Actions,
  type EngineMirror,
  type ImageWork,
  type Item,
  type ItemId,
  type OpenedImage,
  type ViewState,
} from '#renderer/store'
import { menuLines, type MenuCommand } from '#shared/contract'

interface Props {
  readonly id: ItemId
  readonly at: ContextMenuPlace
  readonly onClose: () => void
}

export function RowMenu({ id, at, onClose }: Props) {
  const { mirror, view } = useReprise()
  const actions = useActions()
  const [opened] = useState(() => findItem(mirror.getState(), view.getState().images, id))
  const item = useBoth(
    (mirror, view) => sameItemNow(opened, findItem(mirror, view.images, id), mirror),
    sameData,
  )
  useEffect(() => {
    if (!item) onClose()
  }, [item, onClose])
  if (!item) return null
  const obstacle = sourceObstacle(item, view.getState().destination)
  const problem = itemProblem(item, view.getState().source)
  const use: MenuGroup = {
    id: 'use',
    entries: [
      {
        id: 'source',
        label: 'Use as Source',
        description: obstacle ? describeObstacle(obstacle) : undefined,
        disabled: obstacle !== null,
        run: () => actions.chooseSource(id),
      },
      {
        id: 'destination',
        label: 'Use as Destination',
        description: problem ? describeProblem(problem) : undefined,
        disabled: problem !== null,
        run: () => actions.chooseDestination(id),
      },
    ],
  }
  const groups = [
    use,
    ...workGroups(item, view.getState(), actions),
    aboutGroup(item, id, mirror.getState(), actions),
  ]
  return <ContextMenu at={at} label={itemName(item)} groups={groups} onClose={onClose} />
}

/** What it was opened on, as it is now; null where that isn't there any more. */
function sameItemNow(opened: Item | null, now: Item | null, { disks }: EngineMirror): Item | null {
  return isDeviceItem(opened) ? sameDevice(opened, disks) : now
}

function aboutGroup(item: Item, id: ItemId, mirror: EngineMirror, actions: Actions): MenuGroup {
  const practice = item.kind === 'image' ? item.image.practice : item.kind !== 'stream' && item.disk.practice
  return {
    id: 'about',
    entries: [
      { id: 'info', label: 'Get Info', run: () => actions.openInfo(id) },
      ...(item.kind === 'image' || item.kind === 'stream'
        ? []
        : [
            {
              id: 'eject',
              label: 'Eject',
              disabled: mirror.connection.state !== 'open' || !canEject(item),
              run: () => void actions.eject(id),
            },
          ]),
      ...(practice
        ? [
            {
              id: 'reset',
              label: 'Make as New',
              disabled: !canResetPractice(mirror),
              run: () => void actions.resetPractice(),
            },
          ]
        : []),
    ],
  }
}

/** What the Images menu offers, in the same order; of a device, to make an image of it. */
function workGroups(item: Item, view: ViewState, actions: Actions): readonly MenuGroup[] {
  if (item.kind === 'stream') return []
  if (item.kind !== 'image') {
    const id: ItemId = item.kind === 'disk' ? `disk:${item.disk.path}` : `volume:${item.volume.path}`
    const run = () => actions.openCreate('device', id)
    return [{ id: 'new', entries: [{ id: 'new-image', label: 'New Image from It…', run }] }]
  }
  const { image } = item
  if (isLocked(image)) {
    const run = () => actions.askPassword(image.path, 'open')
    return [{ id: 'unlock', entries: [{ id: 'unlock', label: 'Unlock…', run }] }]
  }
  return imageGroups.map((group) => ({
    id: group.map(([command]) => command).join(' '),
    entries: group.map(([command, work]) => workEntry(command, work, image, view, actions)),
  }))
}

const imageGroups: readonly (readonly (readonly [MenuCommand, ImageWork])[])[] = [
  [
    ['scan-image', 'scan'],
    ['show-scan-info', 'scan-info'],
  ],
  [
    ['verify-image', 'verify'],
    ['add-checksum', 'add-checksum'],
  ],
  [
    ['convert-image', 'convert'],
    ['resize-image', 'resize'],
    ['compact-image', 'compact'],
  ],
]

function workEntry(
  command: MenuCommand,
  work: ImageWork,
  image: OpenedImage,
  view: ViewState,
  actions: Actions,
): MenuEntry {
  return {
    id: command,
    label: menuLines[command].label,
    disabled: !imageCan(view, image.path, work),
    run: () => void actions.takeImage(work, image.path),
  }
}
