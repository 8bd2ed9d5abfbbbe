/**
 * What lies on this device, beside the open documents: to list it and to delete it. The option `offline` of
 * the provider needs no import.
 *
 * @example
 *   import { deleteAllFromDevice } from 'inkwire/client/offline'
 * @module inkwire/client/offline
 */
export { type DeviceDocument, deleteAllFromDevice, deleteFromDevice, documentsOnDevice } from './documents.js'
