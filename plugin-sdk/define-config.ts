import type {GatewayConfigInput} from '../schemas/config.ts';
import type {FromEnv} from '../schemas/from-env.ts';

/** Types `gateway.config.ts`; the values are checked when the gateway reads the file. */
export const defineConfig = (config: GatewayConfigInput): GatewayConfigInput => config;

/** The environment variable `name`; the boot stops when it is not set. */
export const env = (name: string): FromEnv => ({env: name});

/** The environment variable `name`; a provider whose key is not set is left out. */
export const optionalEnv = (name: string): FromEnv => ({env: name, optional: true});
