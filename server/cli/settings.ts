import { type OptionName, parseOptions, problemWith } from '../config.js'
import { type Parsed, Setting } from './setting.js'

const defaults = parseOptions()

/** A setting with the rules and the default of a server's option. */
export const serverSetting = (
  name: OptionName,
  flags: string,
  description: string,
  byDefault: string = String(defaults[name]),
): Setting => new Setting(flags, description, { env: true, byDefault, parse: (text) => parseAs(name, text) })

/** `--data`, which every command has. */
export const dataSetting = (): Setting => serverSetting('data', '--data <folder>', 'folder of the documents')

const parseAs = (name: OptionName, text: string): Parsed => {
  const value = typeof defaults[name] === 'number' && /^\d+$/.test(text) ? Number(text) : text
  const problem = problemWith(name, value)
  return problem === null ? { value } : { problem }
}

/** For a setting that is one of a few words. */
export const oneOf =
  (...words: readonly string[]) =>
  (text: string): Parsed =>
    words.includes(text) ? { value: text } : { problem: `must be one of ${words.join(', ')}` }
