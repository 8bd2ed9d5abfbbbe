import { InkwireError } from '../shared/errors.js'
import type { DeviceCopy, DeviceHost, DeviceState } from './offline/contract.js'

/** The states before and without {@link openDevice}. */
export const OFF: DeviceState = { status: 'off', error: null }
export const LOADING: DeviceState = { status: 'loading', error: null }

/**
 * Opens the device's copy of a document. All that it takes is loaded when it is asked for: who doesn't want
 * it doesn't pay for it.
 */
export const openDevice = (host: DeviceHost): DeviceCopy => {
  let copy: DeviceCopy | null = null
  let closed = false
  import('./offline/device.js').then(
    ({ Device }) => {
      if (!closed) copy = new Device(host)
    },
    (cause: unknown) => {
      if (closed) return
      const error = new InkwireError('INKWIRE_DEVICE_UNAVAILABLE', 'inkwire/client/offline: not loaded', {
        cause,
      })
      host.changed({ status: 'failed', error })
      host.loaded(null)
    },
  )
  return {
    look: () => copy?.look(),
    close: () => {
      closed = true
      copy?.close()
    },
  }
}
