export { checkNetwork, systemChecks, type NetworkCheckDeps } from './check-network.ts'
export { portTaken } from './check-port.ts'
export { checkGroup, isGroupAddress } from './group-address.ts'
export { findInterface, listInterfaces } from './interfaces.ts'
