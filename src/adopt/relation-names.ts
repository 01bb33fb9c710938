// What relations are called where their own names are taken: by a field, by each other, by JavaScript.
import type { FieldCode, ModelCode } from './model-of.js'
import { textCode } from './quote.js'
import { refCode } from './references.js'

/** The models with `as` and `inverse` where they are needed. */
export function nameRelations(models: readonly ModelCode[], reserved: readonly string[]): ModelCode[] {
  const taken = new Map(models.map(({ model, fields }) => [model, new Set(fields.map(({ field }) => field))]))
  /** An option that gives a free name, if this one is not. */
  const claim = (option: string, model: string, name: string): string[] => {
    const names = taken.get(model)!
    const isFree = (candidate: string) => !names.has(candidate) && !reserved.includes(candidate)
    let free = name
    for (let i = 2; !isFree(free); i++) free = `${name}${i}`
    names.add(free)
    return free === name ? [] : [`${option}: ${textCode(free)}`]
  }
  return models.map(model => ({
    ...model,
    fields: model.fields.map((field): FieldCode => {
      const { refers } = field
      if (!refers) return field
      const name = /^(.+)Id$/.exec(field.field)?.[1]
      const alone = model.fields.filter(other => other.refers?.model === refers.model).length === 1
      const options = [
        ...refers.options,
        ...(name === undefined ? [] : claim('as', model.model, name)),
        ...(alone ? claim('inverse', refers.model, model.accessor) : []),
      ]
      const rest = field.code.slice(refCode(refers.model, refers.options).length)
      return { ...field, code: refCode(refers.model, options) + rest }
    }),
  }))
}
