import { useMemo } from 'react'
import type { Text } from 'yjs'
import { type Maybe, textSource } from '../frameworks/sources.js'
import { useSource } from './source.js'

/**
 * The content of a shared text, to show it. To edit it, tie it to an element (`bindTextarea`) or to an editor: a
 * controlled `<textarea>` would lose the caret whenever others type.
 *
 * @param text may still be missing: then it is empty
 * @example
 *   const words = useText(doc?.getText('body')).split(' ').length
 */
export const useText = (text: Maybe<Text>): string => useSource(useMemo(() => textSource(text), [text]))
