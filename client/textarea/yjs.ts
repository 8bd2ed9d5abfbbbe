/** All that a binding uses of Yjs at run time. */
export {
  createAbsolutePositionFromRelativePosition,
  createRelativePositionFromJSON,
  createRelativePositionFromTypeIndex,
  relativePositionToJSON,
  UndoManager,
} from 'yjs'
