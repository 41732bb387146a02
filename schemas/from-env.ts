import * as z from 'zod';

/** A value that `core/config.ts` takes from the environment; made by `env()` and `optionalEnv()`. */
export const fromEnv = z.strictObject({env: z.string().regex(/^[A-Za-z_]\w*$/), optional: z.boolean().optional()});
export type FromEnv = z.output<typeof fromEnv>;

export const secret = z.union([z.string().min(1), fromEnv]);
