// A blog: references that may be null, of a model to itself, several of one model to another, and many to many.
import { model, t } from '../../src/index.js'
import { localDatabase, type LocalDatabase } from '../support/local.js'

export const Author = model('Author', {
  id: t.id(),
  name: t.text(),
  rank: t.integer().nullable(),
  born: t.date({ as: 'text' }).nullable(),
})
export const Post = model(
  'Post',
  {
    id: t.id(),
    authorId: t.ref('Author', { onDelete: 'cascade' }),
    editorId: t.ref('Author', { inverse: 'edited' }).nullable(),
    title: t.text(),
    views: t.bigint().default(0n),
    live: t.boolean().default(false),
    kind: t.enum(['note', 'essay']).default('note'),
    at: t.date().nullable(),
    extra: t.json().nullable(),
    photo: t.blob().nullable(),
  },
  { relations: { tags: { through: 'PostTag' } } },
)
export const Tag = model(
  'Tag',
  {
    no: t.autoId(),
    word: t.text(),
    parentNo: t.ref('Tag', { as: 'parent', inverse: 'children' }).$type<number>().nullable(),
  },
  { relations: { posts: { through: 'PostTag' } } },
)
export const PostTag = model('PostTag', {
  id: t.id(),
  postId: t.ref('Post', { onDelete: 'cascade' }),
  tagNo: t.ref('Tag', { as: 'tag', onDelete: 'cascade' }).$type<number>(),
  weight: t.integer().default(1),
})
export const models = { authors: Author, posts: Post, tags: Tag, postTags: PostTag }
export type Blog = LocalDatabase<typeof models>

export async function openBlog(): Promise<Blog> {
  const db = localDatabase(models)
  const { authors, posts, tags, postTags } = db.tables
  await authors.bulkCreate([
    { id: 'ada', name: 'Ada', rank: 1, born: '1815-12-10' },
    { id: 'bob', name: 'Bob', rank: 2 },
    { id: 'cyd', name: 'Cyd' },
  ])
  await posts.bulkCreate([
    {
      id: 'p1',
      authorId: 'ada',
      editorId: 'bob',
      title: 'Engines',
      views: 2n ** 62n,
      live: true,
      at: 1_000,
      extra: { a: [1] },
    },
    { id: 'p2', authorId: 'ada', title: 'Notes', views: 5n, kind: 'essay', photo: new Uint8Array([0, 255]) },
    { id: 'p3', authorId: 'bob', editorId: 'ada', title: 'Bridges', live: true, extra: null },
    { id: 'p4', authorId: 'ada', title: 'Looms', views: 7n, live: true },
  ])
  await tags.bulkCreate([
    { no: 1, word: 'all' },
    { no: 2, word: 'math', parentNo: 1 },
    { no: 3, word: 'craft', parentNo: 1 },
  ])
  await postTags.bulkCreate([
    { id: 'a', postId: 'p1', tagNo: 2 },
    { id: 'b', postId: 'p1', tagNo: 3, weight: 5 },
    { id: 'c', postId: 'p4', tagNo: 3 },
    { id: 'd', postId: 'p3', tagNo: 1 },
  ])
  return db
}
