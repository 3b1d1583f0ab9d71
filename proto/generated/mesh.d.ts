import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace netfold. */
export namespace netfold {

    /** Namespace mesh. */
    namespace mesh {

        /**
         * Properties of an AgentMessage.
         * @deprecated Use netfold.mesh.AgentMessage.$Properties instead.
         */
        interface IAgentMessage extends netfold.mesh.AgentMessage.$Properties {
        }

        /** Represents an AgentMessage. */
        class AgentMessage {

            /**
             * Constructs a new AgentMessage.
             * @param [properties] Properties to set
             */
            constructor(properties?: netfold.mesh.AgentMessage.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** AgentMessage topology. */
            topology: Uint8Array;

            /** AgentMessage host. */
            host: string;

            /** AgentMessage incarnation. */
            incarnation: number;

            /** AgentMessage sequence. */
            sequence: number;

            /** AgentMessage entries. */
            entries: number;

            /** AgentMessage digestLow. */
            digestLow: number;

            /** AgentMessage digestHigh. */
            digestHigh: number;

            /** AgentMessage update. */
            update?: (netfold.mesh.Update.$Properties|null);

            /** AgentMessage leaving. */
            leaving: boolean;

            /**
             * Encodes the specified AgentMessage message. Does not implicitly {@link netfold.mesh.AgentMessage.verify|verify} messages.
             * @param message AgentMessage message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: netfold.mesh.AgentMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an AgentMessage message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {netfold.mesh.AgentMessage & netfold.mesh.AgentMessage.$Shape} AgentMessage
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): netfold.mesh.AgentMessage & netfold.mesh.AgentMessage.$Shape;
        }

        namespace AgentMessage {

            /** Properties of an AgentMessage. */
            interface $Properties {

                /** AgentMessage topology */
                topology?: (Uint8Array|null);

                /** AgentMessage host */
                host?: (string|null);

                /** AgentMessage incarnation */
                incarnation?: (number|null);

                /** AgentMessage sequence */
                sequence?: (number|null);

                /** AgentMessage entries */
                entries?: (number|null);

                /** AgentMessage digestLow */
                digestLow?: (number|null);

                /** AgentMessage digestHigh */
                digestHigh?: (number|null);

                /** AgentMessage update */
                update?: (netfold.mesh.Update.$Properties|null);

                /** AgentMessage leaving */
                leaving?: (boolean|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an AgentMessage. */
            type $Shape = netfold.mesh.AgentMessage.$Properties;
        }

        /**
         * Properties of an Update.
         * @deprecated Use netfold.mesh.Update.$Properties instead.
         */
        interface IUpdate extends netfold.mesh.Update.$Properties {
        }

        /** Represents an Update. */
        class Update {

            /**
             * Constructs a new Update.
             * @param [properties] Properties to set
             */
            constructor(properties?: netfold.mesh.Update.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Update whole. */
            whole: boolean;

            /** Update meshAddresses. */
            meshAddresses: string[];

            /** Update endpoints. */
            endpoints: netfold.mesh.Endpoint.$Properties[];

            /** Update flowSources. */
            flowSources: number[];

            /** Update flowDestinations. */
            flowDestinations: number[];

            /** Update flowStates. */
            flowStates: number[];

            /**
             * Encodes the specified Update message. Does not implicitly {@link netfold.mesh.Update.verify|verify} messages.
             * @param message Update message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: netfold.mesh.Update.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Update message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {netfold.mesh.Update & netfold.mesh.Update.$Shape} Update
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): netfold.mesh.Update & netfold.mesh.Update.$Shape;
        }

        namespace Update {

            /** Properties of an Update. */
            interface $Properties {

                /** Update whole */
                whole?: (boolean|null);

                /** Update meshAddresses */
                meshAddresses?: (string[]|null);

                /** Update endpoints */
                endpoints?: (netfold.mesh.Endpoint.$Properties[]|null);

                /** Update flowSources */
                flowSources?: (number[]|null);

                /** Update flowDestinations */
                flowDestinations?: (number[]|null);

                /** Update flowStates */
                flowStates?: (number[]|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Update. */
            type $Shape = netfold.mesh.Update.$Properties;
        }

        /**
         * Properties of an Endpoint.
         * @deprecated Use netfold.mesh.Endpoint.$Properties instead.
         */
        interface IEndpoint extends netfold.mesh.Endpoint.$Properties {
        }

        /** Represents an Endpoint. */
        class Endpoint {

            /**
             * Constructs a new Endpoint.
             * @param [properties] Properties to set
             */
            constructor(properties?: netfold.mesh.Endpoint.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Endpoint number. */
            number: number;

            /** Endpoint addresses. */
            addresses: string[];

            /** Endpoint gone. */
            gone: boolean;

            /**
             * Encodes the specified Endpoint message. Does not implicitly {@link netfold.mesh.Endpoint.verify|verify} messages.
             * @param message Endpoint message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: netfold.mesh.Endpoint.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Endpoint message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {netfold.mesh.Endpoint & netfold.mesh.Endpoint.$Shape} Endpoint
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): netfold.mesh.Endpoint & netfold.mesh.Endpoint.$Shape;
        }

        namespace Endpoint {

            /** Properties of an Endpoint. */
            interface $Properties {

                /** Endpoint number */
                number?: (number|null);

                /** Endpoint addresses */
                addresses?: (string[]|null);

                /** Endpoint gone */
                gone?: (boolean|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Endpoint. */
            type $Shape = netfold.mesh.Endpoint.$Properties;
        }

        /**
         * Properties of a StateRequest.
         * @deprecated Use netfold.mesh.StateRequest.$Properties instead.
         */
        interface IStateRequest extends netfold.mesh.StateRequest.$Properties {
        }

        /** Represents a StateRequest. */
        class StateRequest {

            /**
             * Constructs a new StateRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: netfold.mesh.StateRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** StateRequest topology. */
            topology: Uint8Array;

            /** StateRequest host. */
            host: string;

            /** StateRequest incarnation. */
            incarnation: number;

            /**
             * Encodes the specified StateRequest message. Does not implicitly {@link netfold.mesh.StateRequest.verify|verify} messages.
             * @param message StateRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: netfold.mesh.StateRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a StateRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {netfold.mesh.StateRequest & netfold.mesh.StateRequest.$Shape} StateRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): netfold.mesh.StateRequest & netfold.mesh.StateRequest.$Shape;
        }

        namespace StateRequest {

            /** Properties of a StateRequest. */
            interface $Properties {

                /** StateRequest topology */
                topology?: (Uint8Array|null);

                /** StateRequest host */
                host?: (string|null);

                /** StateRequest incarnation */
                incarnation?: (number|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a StateRequest. */
            type $Shape = netfold.mesh.StateRequest.$Properties;
        }

        /**
         * Properties of a StateReply.
         * @deprecated Use netfold.mesh.StateReply.$Properties instead.
         */
        interface IStateReply extends netfold.mesh.StateReply.$Properties {
        }

        /** Represents a StateReply. */
        class StateReply {

            /**
             * Constructs a new StateReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: netfold.mesh.StateReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** StateReply state. */
            state?: (netfold.mesh.AgentMessage.$Properties|null);

            /** StateReply known. */
            known: netfold.mesh.KnownAgent.$Properties[];

            /** StateReply yourIncarnation. */
            yourIncarnation: number;

            /**
             * Encodes the specified StateReply message. Does not implicitly {@link netfold.mesh.StateReply.verify|verify} messages.
             * @param message StateReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: netfold.mesh.StateReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a StateReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {netfold.mesh.StateReply & netfold.mesh.StateReply.$Shape} StateReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): netfold.mesh.StateReply & netfold.mesh.StateReply.$Shape;
        }

        namespace StateReply {

            /** Properties of a StateReply. */
            interface $Properties {

                /** StateReply state */
                state?: (netfold.mesh.AgentMessage.$Properties|null);

                /** StateReply known */
                known?: (netfold.mesh.KnownAgent.$Properties[]|null);

                /** StateReply yourIncarnation */
                yourIncarnation?: (number|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a StateReply. */
            type $Shape = netfold.mesh.StateReply.$Properties;
        }

        /**
         * Properties of a KnownAgent.
         * @deprecated Use netfold.mesh.KnownAgent.$Properties instead.
         */
        interface IKnownAgent extends netfold.mesh.KnownAgent.$Properties {
        }

        /** Represents a KnownAgent. */
        class KnownAgent {

            /**
             * Constructs a new KnownAgent.
             * @param [properties] Properties to set
             */
            constructor(properties?: netfold.mesh.KnownAgent.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** KnownAgent peer. */
            peer: string;

            /** KnownAgent addresses. */
            addresses: string[];

            /**
             * Encodes the specified KnownAgent message. Does not implicitly {@link netfold.mesh.KnownAgent.verify|verify} messages.
             * @param message KnownAgent message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: netfold.mesh.KnownAgent.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a KnownAgent message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {netfold.mesh.KnownAgent & netfold.mesh.KnownAgent.$Shape} KnownAgent
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): netfold.mesh.KnownAgent & netfold.mesh.KnownAgent.$Shape;
        }

        namespace KnownAgent {

            /** Properties of a KnownAgent. */
            interface $Properties {

                /** KnownAgent peer */
                peer?: (string|null);

                /** KnownAgent addresses */
                addresses?: (string[]|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a KnownAgent. */
            type $Shape = netfold.mesh.KnownAgent.$Properties;
        }
    }
}
