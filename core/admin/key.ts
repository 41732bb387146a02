import {hash, randomBytes} from 'node:crypto';

/** The name in the store's meta under which the hash of the first admin key stands. */
export const firstKeyName = 'admin-key-sha256';

/** An admin key: 256 random bits. */
export const newAdminKey = (): string => `adm_${randomBytes(32).toString('base64url')}`;

/** What is stored in a key's place: its SHA-256, in hexadecimal. */
export const hashOf = (key: string): string => hash('sha256', key, 'hex');
