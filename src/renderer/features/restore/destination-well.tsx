/** The Destination well and its `Choose…` menu. */
import { MenuTrigger } from 'react-aria-components'
import {
  Button,
  DeviceIcon,
  diskIcon,
  Menu,
  MenuPopover,
  Well,
  type DropOffer,
  type MenuEntry,
  type MenuGroup,
  type WellContent,
} from '#renderer/components'
import {
  describeProblem,
  destinationOptions,
  diskId,
  findItem,
  itemProblem,
  nextStep,
  sameData,
  useActions,
  useBoth,
  useView,
  volumeId,
  volumeName,
  type Actions,
  type DestinationChoice,
  type DestinationOption,
  type EngineMirror,
  type ItemId,
  type ViewState,
} from '#renderer/store'
import { formatBytes } from '#shared/units'
import { describeBus, describeFilesystem } from '#shared/words'
import { destinationFacts } from './text.ts'

const isNext = (mirror: EngineMirror, view: ViewState) => nextStep(mirror, view) === 'destination'

export function DestinationWell() {
  const actions = useActions()
  const destination = useView((view) => view.destination)
  const next = useBoth(isNext)
  const offer = useBoth(dragOffer, sameData)
  return (
    <div className="well-row">
      <h2 aria-hidden="true">Destination</h2>
      <Well
        label="Destination"
        prompt="Drop a device from the sidebar, or choose one"
        content={destination && contentOf(destination)}
        next={next}
        offer={offer}
        fileOffer="Use as a disk in a file"
        onDropItem={(id) => actions.chooseDestination(id as ItemId)}
        onDropFiles={(files) => void actions.dropFiles('destination', files)}
        onClear={actions.clearDestination}
      />
      <MenuTrigger>
        <Button>Choose…</Button>
        <MenuPopover placement="bottom end">
          <Choices />
        </MenuPopover>
      </MenuTrigger>
    </div>
  )
}

const contentOf = (destination: DestinationChoice): WellContent => ({
  icon: destination.volume ? 'volume' : destination.disk ? diskIcon(destination.disk) : 'file',
  name: destination.name,
  facts: destinationFacts(destination),
  state: destination.state,
})

function dragOffer(mirror: EngineMirror, view: ViewState): DropOffer | null {
  const item = view.dragging === null ? null : findItem(mirror, view.images, view.dragging)
  if (!item) return null
  const problem = itemProblem(item, view.source)
  return problem
    ? { possible: false, words: describeProblem(problem) }
    : { possible: true, words: 'Use as destination' }
}

const options = (mirror: EngineMirror, view: ViewState) => destinationOptions(mirror, view.source)

const isStream = ({ source }: ViewState) => source?.info?.kind === 'stream'

/** Drawn only while the menu is open. */
function Choices() {
  const actions = useActions()
  const all = useBoth(options, sameData)
  const stream = useView(isStream)
  const possible = all.filter((option) => !option.problem)
  const impossible = all.filter((option) => option.problem)
  const groups: readonly MenuGroup[] = [
    {
      id: 'possible',
      entries:
        possible.length > 0
          ? possible.map((option) => entryOf(option, actions))
          : [{ id: 'none', label: 'No disk can be the destination', disabled: true, run: () => undefined }],
    },
    {
      id: 'file',
      entries: [
        {
          id: 'file',
          label: 'File…',
          description: 'A disk in a file, new or overwritten',
          icon: <DeviceIcon name="file" size={28} />,
          run: () => void actions.chooseDestinationPlace('contents'),
        },
        ...(stream
          ? [
              {
                id: 'image-file',
                label: 'Image File…',
                description: 'The image itself, as it is streamed',
                icon: <DeviceIcon name="image" size={28} />,
                run: () => void actions.chooseDestinationPlace('file'),
              },
            ]
          : []),
      ],
    },
    {
      id: 'impossible',
      title: 'Not possible',
      entries: impossible.map((option) => entryOf(option, actions)),
    },
  ]
  return <Menu label="Destinations" groups={groups} />
}

function entryOf({ disk, volume, problem, underDisk }: DestinationOption, actions: Actions): MenuEntry {
  const id = volume ? volumeId(volume.path) : diskId(disk.path)
  const facts = volume
    ? [
        formatBytes(volume.sizeBytes),
        volume.filesystem === null ? 'Volume' : describeFilesystem(volume.filesystem),
        volume.path,
      ]
    : [formatBytes(disk.sizeBytes), describeBus(disk.bus), disk.path]
  return {
    id,
    label: volume ? (underDisk ? volumeName(volume) : `${volumeName(volume)} on ${disk.name}`) : disk.name,
    description: problem ? describeProblem(problem) : facts.join(' · '),
    icon: <DeviceIcon name={volume ? 'volume' : diskIcon(disk)} size={28} />,
    disabled: problem !== null,
    indented: underDisk,
    run: () => actions.chooseDestination(id),
  }
}
