/** A function for every request of a client, by the names of the Python library in camel case. */
export type { Item, Numbered, Refused, Reply, Request } from './request.ts'
export * from './requests/messages.ts'
export * from './requests/people.ts'
export * from './requests/topics.ts'
