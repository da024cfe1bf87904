/** A row's context menu: everything a drag does, and a little more. */
import { ContextMenu, type ContextMenuPlace, type MenuGroup } from '#renderer/components'
import {
  canEject,
  describeProblem,
  findItem,
  itemName,
  itemProblem,
  useActions,
  useReprise,
  type ItemId,
} from '#renderer/store'

interface Props {
  readonly id: ItemId
  readonly at: ContextMenuPlace
  readonly onClose: () => void
}

export function RowMenu({ id, at, onClose }: Props) {
  const { mirror, view } = useReprise()
  const actions = useActions()
  const item = findItem(mirror.getState(), view.getState().images, id)
  if (!item) return null
  const problem = itemProblem(item, view.getState().source)
  const practice = item.kind === 'image' ? item.image.practice : item.disk.practice
  const groups: readonly MenuGroup[] = [
    {
      id: 'use',
      entries: [
        { id: 'source', label: 'Use as Source', run: () => actions.chooseSource(id) },
        {
          id: 'destination',
          label: 'Use as Destination',
          description: problem ? describeProblem(problem) : undefined,
          disabled: problem !== null,
          run: () => actions.chooseDestination(id),
        },
      ],
    },
    {
      id: 'more',
      entries: [
        { id: 'info', label: 'Get Info', run: () => actions.openInfo(id) },
        ...(item.kind === 'image'
          ? [{ id: 'verify', label: 'Verify…', run: () => void actions.verifyImage(item.image.path) }]
          : [{ id: 'eject', label: 'Eject', disabled: !canEject(item), run: () => void actions.eject(id) }]),
        ...(practice ? [{ id: 'reset', label: 'Make as New', run: () => void actions.resetPractice() }] : []),
      ],
    },
  ]
  return <ContextMenu at={at} label={itemName(item)} groups={groups} onClose={onClose} />
}
