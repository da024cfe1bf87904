export type { DroppedFile, FileAccess } from './action-deps.ts'
export type { Actions } from './actions.ts'
export { realClock, type Clock } from './clock.ts'
export { ConnectRefused, hostConnection, type Connect, type HostConnection } from './connection.ts'
export {
  destinationOptions,
  destinationProblem,
  itemProblem,
  sourceSize,
  type DestinationOption,
  type DestinationProblem,
} from './destinations.ts'
export { describeProblem } from './destination-words.ts'
export type { Connection, EngineMirror } from './engine-mirror.ts'
export {
  diskId,
  findItem,
  imageId,
  itemName,
  itemSize,
  locatorOf,
  sidebarGroups,
  volumeId,
  volumeName,
  type GroupName,
  type Item,
  type SidebarGroup,
} from './items.ts'
export { RepriseProvider, sameData, useActions, useBoth, useMirror, useReprise, useView } from './react.ts'
export {
  frontJob,
  restoreBlock,
  restoreJob,
  restoreStage,
  type RestoreBlock,
  type Stage,
} from './readiness.ts'
export { createReprise, type Reprise } from './reprise.ts'
export type {
  DestinationChoice,
  FilePurpose,
  ItemId,
  Notice,
  OpenedImage,
  PlanState,
  RestoreOptions,
  Sheet,
  SourceChoice,
  ViewState,
} from './view-state.ts'
