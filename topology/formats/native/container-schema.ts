/** The fields of a service that concern containers: names and grammar are those of Docker Compose. */
import { z } from 'zod';
import { DURATION_PATTERN, parseContainerMemory, parseDuration } from '../../../proto/units.ts';
import { MOST_PORTS } from '../../model/container-settings.ts';
import { quantity, quantityOf } from './quantity.ts';

const MOST = 100;

const words = (what: string) =>
  z
    .union([z.string().min(1), z.array(z.string())])
    .optional()
    .meta({ description: what });

const duration = (description: string) =>
  quantity(parseDuration, { description, pattern: DURATION_PATTERN, examples: ['5s'] }).optional();

export const resources = z
  .strictObject({
    cpu: z.number().positive().max(1024).optional().meta({
      description: 'How many processors it may use, also a part of one. Default: all.',
    }),
    memory: quantityOf(z.union([z.string(), z.int()]).transform(String), parseContainerMemory)
      .optional()
      .meta({
        description:
          'How much memory it may use, in bytes or with b, k, m or g, as in Docker Compose: 1m is 1,048,576 bytes. Default: all.',
        examples: ['256m'],
      }),
  })
  .meta({ description: 'What each of its containers may use.', examples: [{ cpu: 0.5, memory: '256m' }] });

export const healthcheck = z
  .strictObject({
    test: z
      .union([z.string().min(1), z.array(z.string()).min(1)])
      .optional()
      .meta({
        description:
          'A line for the shell of the container, or a list that begins with CMD, CMD-SHELL or NONE. Default: that of the image.',
      }),
    interval: duration('Time between two tests. Default: 30s.'),
    timeout: duration('A test that takes longer fails. Default: 30s.'),
    start_period: duration('Tests that fail so soon after the start do not count. Default: 0s.'),
    retries: z.int().min(1).max(1000).optional().meta({
      description: 'After how many failures in a row it is unhealthy. Default: 3.',
    }),
    disable: z
      .boolean()
      .optional()
      .meta({ description: "Whether the image's own is left out. Default: false." }),
  })
  .meta({ description: 'How the engine sees that a container works. It is never shaped.' });

export const containerFields = {
  image: z.string().min(1).optional().meta({
    description: 'Container image, for `netfold up --engine docker`. The local lab does not start it.',
  }),
  entrypoint: words(
    "The container's program with its first arguments; a text is divided into words as a shell does it, without expanding anything. Default: what the image says.",
  ),
  command: words(
    'Arguments of the container, as in Docker Compose; a text is divided into words as a shell does it, without expanding anything. Default: what the image says.',
  ),
  args: words('More arguments of the container, after those of `command`. Default: none.'),
  environment: z
    .union([
      z.record(z.string(), z.union([z.string(), z.int()]).transform(String)),
      z.array(z.string().min(1)),
    ])
    .optional()
    .meta({
      description:
        'The same as `env`, in the grammar of Docker Compose: a mapping, or a list of NAME=value. One of the two may be written.',
      examples: [{ PORT: 8080 }, ['PORT=8080']],
    }),
  working_dir: z.string().min(1).optional().meta({
    description:
      'Folder of the container in which its command starts, from / on. `cwd` is that of the local lab. Default: what the image says.',
  }),
  volumes: z
    .array(z.string().min(1))
    .max(MOST)
    .optional()
    .meta({
      description:
        'What the container has of the machine, or of volumes: SOURCE:TARGET, also with :ro; a source that begins with ./ or ../ is beside the file. Default: nothing.',
      examples: [['./data:/data:ro', 'cache:/cache']],
    }),
  ports: z
    .array(z.union([z.string().min(1), z.int().min(1).max(65_535)]))
    .max(MOST_PORTS)
    .optional()
    .meta({
      description:
        'Ports of the container that the machine has as well: [[ADDRESS:][PORT]:]PORT[/udp]; one that is free without PORT. Their traffic is not shaped. Default: none.',
      examples: [['8080:80', '127.0.0.1:5432:5432']],
    }),
  resources: resources.optional(),
  healthcheck: healthcheck.optional(),
};
