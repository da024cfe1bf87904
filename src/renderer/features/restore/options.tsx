/** How it is to be done. Erase is off until it is ticked: the tick is the first yes. */
import { Checkbox } from '#renderer/components'
import {
  isNewFile,
  nextStep,
  useActions,
  useBoth,
  useView,
  type EngineMirror,
  type ViewState,
} from '#renderer/store'
import { eraseHint } from './text.ts'
import { VolumeInImage } from './volume-in-image.tsx'

export function Options() {
  const options = useView((view) => view.options)
  const stream = useView(isStream)
  const newFile = useView(isNewFile)
  const next = useBoth(isNext)
  const { setOption } = useActions()
  return (
    <div className="options">
      <div>
        <div className="options-ways" data-landing={next ? 'next' : undefined}>
          <Checkbox
            checked={options.erase}
            onChange={(erase) => setOption('erase', erase)}
            describedBy="erase-hint"
          >
            Erase destination
          </Checkbox>
          <Checkbox
            checked={options.changedOnly && !stream}
            disabled={stream}
            onChange={(only) => setOption('changedOnly', only)}
            describedBy="erase-hint"
          >
            Write only what changed
          </Checkbox>
        </div>
        <p id="erase-hint" className="options-hint secondary small">
          {eraseHint[hintOf(options, { stream, newFile })]}
        </p>
      </div>
      <div className="options-more">
        <Checkbox checked={options.verify} onChange={(verify) => setOption('verify', verify)}>
          Verify after restore
        </Checkbox>
        <Checkbox checked={options.clearUnused} onChange={(clear) => setOption('clearUnused', clear)}>
          Clear unused space
        </Checkbox>
        <Checkbox
          checked={options.afterwards === 'eject'}
          onChange={(eject) => setOption('afterwards', eject ? 'eject' : 'remount')}
        >
          Eject when done
        </Checkbox>
      </div>
      <VolumeInImage />
    </div>
  )
}

const isNext = (mirror: EngineMirror, view: ViewState) => nextStep(mirror, view) === 'options'
const isStream = ({ source }: ViewState) => source?.info?.kind === 'stream'

function hintOf(
  { erase, changedOnly }: ViewState['options'],
  { stream, newFile }: { readonly stream: boolean; readonly newFile: boolean },
): keyof typeof eraseHint {
  // A stream brings everything; there is nothing to compare with before it has come.
  if (changedOnly && !stream) return 'changed'
  if (newFile) return 'new'
  return erase ? 'on' : 'off'
}
