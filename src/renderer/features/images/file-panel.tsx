/** The window's own open panel, for a browser: the folders of the computer that Reprise runs on. */
import { ChevronUp, Folder, FileIcon } from 'lucide-react'
import { useState } from 'react'
import { ListBox, ListBoxItem } from 'react-aria-components'
import { Button, Checkbox, Sheet, Spinner } from '#renderer/components'
import { useActions, useView, type ViewState } from '#renderer/store'
import type { FolderListing } from '#shared/contract'
import { formatBytes } from '#shared/units'
import { describeError } from '#shared/words'
import { isBundle, looksLikeImage } from './image-names.ts'
import { filesTitles } from './text.ts'

const filesSheet = ({ sheet }: ViewState) => (sheet?.kind === 'files' ? sheet : null)

export function FilePanel() {
  const sheet = useView(filesSheet)
  const actions = useActions()
  const [chosen, setChosen] = useState<string | null>(null)
  const [all, setAll] = useState(false)
  if (!sheet) return null
  const { listing, purpose } = sheet
  // A folder is what is looked for; else it is only gone through on the way to a file.
  const folders = purpose === 'target' || purpose === 'folder' || purpose === 'configuration-folder'
  const take = (path: string) => {
    const entry = listing?.entries.find((entry) => entry.path === path)
    setChosen(null)
    if (entry?.kind === 'folder' && (folders || !isBundle(entry.name))) void actions.browse(path)
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
            isDisabled={here === null || sheet.error !== null}
            onPress={() => {
              if (here === null) return
              if (folders) actions.chooseListed(here)
              else take(here)
            }}
          >
            Choose
          </Button>
        </>
      }
    >
      <div className="files-path">
        <Button
          look="quiet"
          icon
          aria-label="Enclosing folder"
          isDisabled={(listing?.parent ?? null) === null}
          onPress={() => void actions.browse(listing?.parent ?? null)}
        >
          <ChevronUp size={16} aria-hidden />
        </Button>
        <span className="ellipsis selectable" title={listing?.folder}>
          {listing?.folder ?? ' '}
        </span>
        {sheet.loading && <Spinner />}
      </div>
      <div className="files">
        <Places listing={listing} />
        <div className="files-list">
          {sheet.error && <p className="files-empty">{describeError(sheet.error).what}</p>}
          {listing && !sheet.error && (
            <Entries
              listing={listing}
              show={
                folders ? 'folders' : all ? 'all' : purpose === 'configuration' ? 'configurations' : 'images'
              }
              chosen={chosen}
              onChoose={setChosen}
              onTake={take}
            />
          )}
        </div>
      </div>
    </Sheet>
  )
}

function Places({ listing }: { readonly listing: FolderListing | null }) {
  const actions = useActions()
  return (
    <ListBox
      className="places"
      aria-label="Places"
      selectionMode="single"
      selectedKeys={listing ? [listing.folder] : []}
      onSelectionChange={(keys) => {
        const [path] = keys === 'all' ? [] : [...keys]
        if (path !== undefined) void actions.browse(String(path))
      }}
    >
      {(listing?.places ?? []).map((place) => (
        <ListBoxItem key={place.path} id={place.path} textValue={place.name} className="file-row">
          <Folder size={14} aria-hidden />
          <span className="ellipsis">{place.name}</span>
        </ListBoxItem>
      ))}
    </ListBox>
  )
}

interface EntriesProps {
  readonly listing: FolderListing
  readonly show: 'all' | 'images' | 'configurations' | 'folders'
  readonly chosen: string | null
  readonly onChoose: (path: string | null) => void
  readonly onTake: (path: string) => void
}

function Entries({ listing, show, chosen, onChoose, onTake }: EntriesProps) {
  const shown = listing.entries.filter(
    (entry) =>
      show === 'all' ||
      entry.kind === 'folder' ||
      (show === 'images' && looksLikeImage(entry.name)) ||
      (show === 'configurations' && /\.plist$/i.test(entry.name)),
  )
  return (
    <>
      <ListBox
        key={listing.folder}
        className="file-entries"
        aria-label="Files"
        selectionMode="single"
        selectionBehavior="replace"
        selectedKeys={chosen === null ? [] : [chosen]}
        onSelectionChange={(keys) => {
          const [path] = keys === 'all' ? [] : [...keys]
          onChoose(path === undefined ? null : String(path))
        }}
        onAction={(key) => onTake(String(key))}
        renderEmptyState={() => (
          <p className="files-empty secondary">
            {listing.entries.length === 0 ? 'This folder is empty.' : emptyWords[show]}
          </p>
        )}
      >
        {shown.map((entry) => (
          <ListBoxItem key={entry.path} id={entry.path} textValue={entry.name} className="file-row">
            {entry.kind === 'folder' && !isBundle(entry.name) ? (
              <Folder size={14} aria-hidden />
            ) : (
              <FileIcon size={14} aria-hidden />
            )}
            <span className="file-name ellipsis">{entry.name}</span>
            {entry.kind === 'file' && <span className="file-size">{formatBytes(entry.sizeBytes)}</span>}
            <span className="file-date">{day(entry.modifiedMs)}</span>
          </ListBoxItem>
        ))}
      </ListBox>
      {listing.truncated && (
        <p className="files-empty secondary small">More files are here than are listed.</p>
      )}
    </>
  )
}

const emptyWords = {
  all: 'This folder is empty.',
  folders: 'No folders here.',
  images: 'No images here.',
  configurations: 'No property lists here.',
} as const

const lastPart = (path: string) => path.split(/[/\\]/).findLast((part) => part !== '') ?? path

const day = (ms: number) => new Date(ms).toLocaleDateString(undefined, { dateStyle: 'medium' })
