import { Converter } from 'typedoc'

/**
 * In our comments an example stands two spaces in from `@example`; typedoc takes that away from its first line only.
 *
 * @param {import('typedoc').Application} app
 */
export const load = (app) => {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const { comment } of Object.values(project.reflections)) {
      for (const { tag, content } of comment?.blockTags ?? []) {
        if (tag !== '@example') continue
        for (const part of content) part.text = part.text.replace(/\n {2}/g, '\n')
      }
    }
  })
}
