/** The window's regions and what stands in them. */
import { useEffect } from 'react'
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components'
import { ActivityPanel } from '#renderer/features/activity'
import { InfoFooter } from '#renderer/features/images'
import { MulticastPanel } from '#renderer/features/multicast'
import { RestorePanel } from '#renderer/features/restore'
import { Sidebar } from '#renderer/features/sidebar'
import {
  useActions,
  useMirror,
  useReprise,
  useView,
  type EngineMirror,
  type ViewState,
} from '#renderer/store'
import { Announcer } from './announcer.tsx'
import { runCommand } from './commands.ts'
import { keepFocus } from './focus-keeper.ts'
import { useKeyboard } from './keyboard.ts'
import { MenuBar } from './menu-bar.tsx'
import { Notices } from './notices.tsx'
import { PageTitle } from './page-title.ts'
import { Sheets } from './sheets.tsx'
import { isCovered, SidebarOver, useNarrow } from './sidebar-over.tsx'
import { StatusBar } from './status-bar.tsx'
import './shell.css'

const hostOf = (mirror: EngineMirror) => mirror.app?.host ?? null
const platformOf = (mirror: EngineMirror) => mirror.app?.platform ?? null

export function Shell({ host: knownHost }: { readonly host: 'electron' | 'web' }) {
  const host = useMirror(hostOf) ?? knownHost
  const platform = useMirror(platformOf)
  const narrow = useView((view) => view.narrow)
  const sidebarShown = useView((view) => view.sidebarShown)
  useNarrow()
  useKeyboard({ shortcuts: host === 'web' })
  useHostMenu()
  useEffect(keepFocus, [])
  return (
    <div className="shell" data-host={host} data-platform={platform}>
      {host === 'web' && <MenuBar />}
      {narrow && <SidebarOver />}
      {!narrow && sidebarShown && (
        <aside className="shell-sidebar" data-region="sidebar" aria-label="Disks, images and streams">
          <Sidebar />
        </aside>
      )}
      <MainPanel />
      <section className="shell-info" aria-label="Info">
        <InfoFooter />
      </section>
      <StatusBar />
      <Sheets />
      <PageTitle />
      <Announcer />
      <Fonts />
    </div>
  )
}

/**
 * Every face that the window writes with, in its weights and sizes, laid out once at the start. To find one the page
 * waits for another process; without this it would in the moment when a restore begins.
 */
const Fonts = () => (
  <div className="visually-hidden fonts" aria-hidden="true">
    <p className="figure">
      0<span>%</span>
    </p>
    <p className="section-title">0→…·–</p>
    <p className="small">0→…·–</p>
    <b>0→…·–</b>
    <strong>0→…·–</strong>
    <code>0</code>
    <code className="small">0</code>
  </div>
)

function useHostMenu() {
  const reprise = useReprise()
  useEffect(() => reprise.onMenu((command) => runCommand(reprise, command)), [reprise])
}

const tabTitles: { readonly [tab in ViewState['tab']]: string } = {
  restore: 'Restore',
  multicast: 'Multicast Server',
  activity: 'Activity',
}

function MainPanel() {
  const tab = useView((view) => view.tab)
  const covered = useView(isCovered)
  const { setTab } = useActions()
  return (
    <main className="shell-main" data-region="main">
      <h1 className="visually-hidden">{tabTitles[tab]}</h1>
      <Tabs className="tabs" selectedKey={tab} onSelectionChange={(key) => setTab(key as ViewState['tab'])}>
        <TabList className="tab-list" aria-label="What to do" inert={covered}>
          <Tab id="restore" className="tab">
            {tabTitles.restore}
          </Tab>
          <Tab id="multicast" className="tab">
            {tabTitles.multicast}
          </Tab>
          <Tab id="activity" className="tab">
            {tabTitles.activity}
          </Tab>
        </TabList>
        <Notices />
        <TabPanel id="restore" className="tab-panel" inert={covered}>
          <RestorePanel />
        </TabPanel>
        <TabPanel id="multicast" className="tab-panel" inert={covered}>
          <MulticastPanel />
        </TabPanel>
        <TabPanel id="activity" className="tab-panel" inert={covered}>
          <ActivityPanel />
        </TabPanel>
      </Tabs>
    </main>
  )
}
