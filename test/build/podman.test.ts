// SPDX-License-Identifier: Apache-2.0
/** Real containers of Podman. */
import { containerCases } from '../helpers/container-cases.js';

containerCases('podman');
