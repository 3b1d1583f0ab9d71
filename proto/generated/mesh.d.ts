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

            /** AgentMessage commands. */
            commands: netfold.mesh.Command.$Properties[];

            /** AgentMessage commandCount. */
            commandCount: number;

            /** AgentMessage commandLow. */
            commandLow: number;

            /** AgentMessage commandHigh. */
            commandHigh: number;

            /** AgentMessage timed. */
            timed: boolean;

            /** AgentMessage passOn. */
            passOn: boolean;

            /** AgentMessage suspected. */
            suspected: netfold.mesh.Suspicion.$Properties[];

            /** AgentMessage spread. */
            spread: boolean;

            /** AgentMessage viewCount. */
            viewCount: number;

            /** AgentMessage viewLow. */
            viewLow: number;

            /** AgentMessage viewHigh. */
            viewHigh: number;

            /** AgentMessage rollCall. */
            rollCall: boolean;

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

                /** AgentMessage commands */
                commands?: (netfold.mesh.Command.$Properties[]|null);

                /** AgentMessage commandCount */
                commandCount?: (number|null);

                /** AgentMessage commandLow */
                commandLow?: (number|null);

                /** AgentMessage commandHigh */
                commandHigh?: (number|null);

                /** AgentMessage timed */
                timed?: (boolean|null);

                /** AgentMessage passOn */
                passOn?: (boolean|null);

                /** AgentMessage suspected */
                suspected?: (netfold.mesh.Suspicion.$Properties[]|null);

                /** AgentMessage spread */
                spread?: (boolean|null);

                /** AgentMessage viewCount */
                viewCount?: (number|null);

                /** AgentMessage viewLow */
                viewLow?: (number|null);

                /** AgentMessage viewHigh */
                viewHigh?: (number|null);

                /** AgentMessage rollCall */
                rollCall?: (boolean|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an AgentMessage. */
            type $Shape = netfold.mesh.AgentMessage.$Properties;
        }

        /**
         * Properties of a Suspicion.
         * @deprecated Use netfold.mesh.Suspicion.$Properties instead.
         */
        interface ISuspicion extends netfold.mesh.Suspicion.$Properties {
        }

        /** Represents a Suspicion. */
        class Suspicion {

            /**
             * Constructs a new Suspicion.
             * @param [properties] Properties to set
             */
            constructor(properties?: netfold.mesh.Suspicion.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Suspicion host. */
            host: string;

            /** Suspicion incarnation. */
            incarnation: number;

            /** Suspicion sequence. */
            sequence: number;

            /**
             * Encodes the specified Suspicion message. Does not implicitly {@link netfold.mesh.Suspicion.verify|verify} messages.
             * @param message Suspicion message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: netfold.mesh.Suspicion.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Suspicion message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {netfold.mesh.Suspicion & netfold.mesh.Suspicion.$Shape} Suspicion
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): netfold.mesh.Suspicion & netfold.mesh.Suspicion.$Shape;
        }

        namespace Suspicion {

            /** Properties of a Suspicion. */
            interface $Properties {

                /** Suspicion host */
                host?: (string|null);

                /** Suspicion incarnation */
                incarnation?: (number|null);

                /** Suspicion sequence */
                sequence?: (number|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Suspicion. */
            type $Shape = netfold.mesh.Suspicion.$Properties;
        }

        /**
         * Properties of a Command.
         * @deprecated Use netfold.mesh.Command.$Properties instead.
         */
        interface ICommand extends netfold.mesh.Command.$Properties {
        }

        /** Represents a Command. */
        class Command {

            /**
             * Constructs a new Command.
             * @param [properties] Properties to set
             */
            constructor(properties?: netfold.mesh.Command.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Command origin. */
            origin: string;

            /** Command incarnation. */
            incarnation: number;

            /** Command number. */
            number: number;

            /** Command issuedAt. */
            issuedAt: number;

            /** Command at. */
            at: number;

            /** Command until. */
            until: number;

            /** Command text. */
            text: string;

            /** Command author. */
            author: string;

            /** Command signature. */
            signature: Uint8Array;

            /**
             * Encodes the specified Command message. Does not implicitly {@link netfold.mesh.Command.verify|verify} messages.
             * @param message Command message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: netfold.mesh.Command.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Command message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {netfold.mesh.Command & netfold.mesh.Command.$Shape} Command
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): netfold.mesh.Command & netfold.mesh.Command.$Shape;
        }

        namespace Command {

            /** Properties of a Command. */
            interface $Properties {

                /** Command origin */
                origin?: (string|null);

                /** Command incarnation */
                incarnation?: (number|null);

                /** Command number */
                number?: (number|null);

                /** Command issuedAt */
                issuedAt?: (number|null);

                /** Command at */
                at?: (number|null);

                /** Command until */
                until?: (number|null);

                /** Command text */
                text?: (string|null);

                /** Command author */
                author?: (string|null);

                /** Command signature */
                signature?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Command. */
            type $Shape = netfold.mesh.Command.$Properties;
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

            /** Endpoint ready. */
            ready: boolean;

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

                /** Endpoint ready */
                ready?: (boolean|null);

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

            /** StateRequest commandCount. */
            commandCount: number;

            /** StateRequest commandLow. */
            commandLow: number;

            /** StateRequest commandHigh. */
            commandHigh: number;

            /** StateRequest withoutKnown. */
            withoutKnown: boolean;

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

                /** StateRequest commandCount */
                commandCount?: (number|null);

                /** StateRequest commandLow */
                commandLow?: (number|null);

                /** StateRequest commandHigh */
                commandHigh?: (number|null);

                /** StateRequest withoutKnown */
                withoutKnown?: (boolean|null);

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

            /** StateReply commands. */
            commands: netfold.mesh.Command.$Properties[];

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

                /** StateReply commands */
                commands?: (netfold.mesh.Command.$Properties[]|null);

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

            /** KnownAgent incarnation. */
            incarnation: number;

            /** KnownAgent tableSequence. */
            tableSequence: number;

            /** KnownAgent digestLow. */
            digestLow: number;

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

                /** KnownAgent incarnation */
                incarnation?: (number|null);

                /** KnownAgent tableSequence */
                tableSequence?: (number|null);

                /** KnownAgent digestLow */
                digestLow?: (number|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a KnownAgent. */
            type $Shape = netfold.mesh.KnownAgent.$Properties;
        }

        /**
         * Properties of a ClockRequest.
         * @deprecated Use netfold.mesh.ClockRequest.$Properties instead.
         */
        interface IClockRequest extends netfold.mesh.ClockRequest.$Properties {
        }

        /** Represents a ClockRequest. */
        class ClockRequest {

            /**
             * Constructs a new ClockRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: netfold.mesh.ClockRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ClockRequest topology. */
            topology: Uint8Array;

            /**
             * Encodes the specified ClockRequest message. Does not implicitly {@link netfold.mesh.ClockRequest.verify|verify} messages.
             * @param message ClockRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: netfold.mesh.ClockRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ClockRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {netfold.mesh.ClockRequest & netfold.mesh.ClockRequest.$Shape} ClockRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): netfold.mesh.ClockRequest & netfold.mesh.ClockRequest.$Shape;
        }

        namespace ClockRequest {

            /** Properties of a ClockRequest. */
            interface $Properties {

                /** ClockRequest topology */
                topology?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ClockRequest. */
            type $Shape = netfold.mesh.ClockRequest.$Properties;
        }

        /**
         * Properties of a ClockReply.
         * @deprecated Use netfold.mesh.ClockReply.$Properties instead.
         */
        interface IClockReply extends netfold.mesh.ClockReply.$Properties {
        }

        /** Represents a ClockReply. */
        class ClockReply {

            /**
             * Constructs a new ClockReply.
             * @param [properties] Properties to set
             */
            constructor(properties?: netfold.mesh.ClockReply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ClockReply incarnation. */
            incarnation: number;

            /** ClockReply timed. */
            timed: boolean;

            /** ClockReply received. */
            received: number;

            /** ClockReply sent. */
            sent: number;

            /**
             * Encodes the specified ClockReply message. Does not implicitly {@link netfold.mesh.ClockReply.verify|verify} messages.
             * @param message ClockReply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: netfold.mesh.ClockReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ClockReply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {netfold.mesh.ClockReply & netfold.mesh.ClockReply.$Shape} ClockReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): netfold.mesh.ClockReply & netfold.mesh.ClockReply.$Shape;
        }

        namespace ClockReply {

            /** Properties of a ClockReply. */
            interface $Properties {

                /** ClockReply incarnation */
                incarnation?: (number|null);

                /** ClockReply timed */
                timed?: (boolean|null);

                /** ClockReply received */
                received?: (number|null);

                /** ClockReply sent */
                sent?: (number|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ClockReply. */
            type $Shape = netfold.mesh.ClockReply.$Properties;
        }
    }
}
