/** The window's own open panel, for a browser: the folders of the computer that Reprise runs on. */
import { useState } from 'react'
import { Button, Checkbox, Sheet } from '#renderer/components'
import { choosesFolder, isBundle, useActions, useView, type ViewState } from '#renderer/store'
import type { FolderListing } from '#shared/contract'
import { Entries, Places } from './file-entries.tsx'
import { PathLine } from './path-line.tsx'
import { filesTitles } from './text.ts'

/** What was picked or typed and not done yet. */
interface Pending {
  readonly listing: FolderListing | null
  readonly chosen: string | null
  readonly typed: string | null
}

const nothingPending = { chosen: null, typed: null }

const filesSheet = ({ sheet }: ViewState) => (sheet?.kind === 'files' ? sheet : null)

export function FilePanel() {
  const sheet = useView(filesSheet)
  const actions = useActions()
  const [pending, setPending] = useState<Pending | null>(null)
  const [all, setAll] = useState(false)
  if (!sheet) return null
  const { listing, purpose } = sheet
  const folders = choosesFolder(purpose)
  // It was about the folder that was listed then.
  const { chosen, typed } = pending?.listing === listing ? pending : nothingPending
  const asked = typed?.trim() || null
  const goTo = (path: string | null) => {
    setPending(null)
    void actions.browse(path)
  }
  const take = (path: string) => {
    const entry = listing?.entries.find((entry) => entry.path === path)
    if (entry?.kind === 'folder' && (folders || !isBundle(entry.name))) goTo(path)
    else if (entry) actions.chooseListed(path)
  }
  const here = folders ? (chosen ?? listing?.folder ?? null) : chosen
  return (
    <Sheet
      size="wide"
      title={filesTitles[purpose]}
      onClose={actions.closeSheet}
      actions={
        <>
          {folders ? (
            <span className="files-all secondary ellipsis">
              {here === null ? '' : `In '${lastPart(here)}'`}
            </span>
          ) : (
            <span className="files-all">
              <Checkbox checked={all} onChange={setAll}>
                Show all files
              </Checkbox>
            </span>
          )}
          <Button onPress={actions.closeSheet}>Cancel</Button>
          <Button
            look="primary"
            isDisabled={here === null && asked === null}
            onPress={() => {
              if (asked !== null) void actions.browse(asked)
              else if (here !== null && folders) actions.chooseListed(here)
              else if (here !== null) take(here)
            }}
          >
            Choose
          </Button>
        </>
      }
    >
      <PathLine
        sheet={sheet}
        typed={typed}
        onType={(text) => setPending({ listing, chosen: null, typed: text })}
        // It stays while it leads nowhere, to be mended.
        onGo={() => asked !== null && void actions.browse(asked)}
        onUp={() => goTo(listing?.parent ?? null)}
      />
      <div className="files">
        <Places listing={listing} onGo={goTo} />
        <div className="files-list">
          {listing && (
            <Entries
              listing={listing}
              show={
                folders ? 'folders' : all ? 'all' : purpose === 'configuration' ? 'configurations' : 'images'
              }
              chosen={chosen}
              onChoose={(path) => setPending({ listing, chosen: path, typed: null })}
              onTake={take}
            />
          )}
        </div>
      </div>
    </Sheet>
  )
}

const lastPart = (path: string) => path.split(/[/\\]/).findLast((part) => part !== '') ?? path
