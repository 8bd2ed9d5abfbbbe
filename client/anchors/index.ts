/**
 * Places in shared text that survive edits, for comments and bookmarks.
 *
 * @module inkwire/client/anchors
 */
export {
  type Anchor,
  anchorFromPosition,
  createAnchor,
  createRangeAnchor,
  positionFromAnchor,
  type Range,
  type RangeAnchor,
  resolveAnchor,
  resolveRange,
  type Sequence,
} from './anchors.js'
