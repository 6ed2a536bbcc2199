//! One frame of a conversation: a line, a piece of a message, a piece of a chunk. What it says goes to the session,
//! what it carries goes to the sink.

use tracing::info;

use crate::smtp::command::{Chunk, Position};
use crate::smtp::framing::{self, Counted, Decoded, Decoder, Line, Violation, Whole};
use crate::smtp::intake::{Intake, Transaction};
use crate::smtp::parcel::{Endless, Parcel, Word};
use crate::smtp::reply::{Refusal, Reply};
use crate::smtp::session::{Awaiting, Carriage, Chunks, Ending, Opening, Receiving, Session, Settled, Step};

use super::{Advance, Context, Dialogue, Expected, Handshake, Next, PIECE, Phase};

impl<N: Intake> Context<N> {
    pub(super) async fn line(
        mut self,
        session: Session<N>,
        input: &mut [u8],
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        let length = match framing::line(input, session.line_limit(input)) {
            Line::Whole(length) => length,
            Line::Partial => return self.read(Phase::Commands(session)),
            Line::Violation(violation) => return self.violated(violation, violation.in_command(), output),
        };
        self.counts.lines += u64::from(session.awaiting() != Awaiting::Chunk);
        let (line, rest) = input.split_at(length);
        let step = session.line(line, self.intake.as_ref());
        if ends_group(&step) && !rest.is_empty() {
            let violation = Violation::Pipelined;
            return self.violated(violation, violation.in_command(), output);
        }
        self.step(step, length, output).await
    }

    async fn step(self, step: Step<N>, used: usize, output: &mut Vec<u8>) -> Advance<N> {
        match step {
            Step::Settled(settled) => self.settle(settled, used, output),
            Step::Skip(octets, settled) => self.begin_skip(octets, settled, used, output),
            Step::StartTls(securing, reply) => {
                reply.write(output);
                Advance::Leave(Next::Secure(Handshake { context: self, securing }), used)
            }
            Step::Login(verifying, credentials) => {
                let verdict =
                    self.intake.login_from(self.peer, &credentials.user, &credentials.password).await;
                let settled = match verdict {
                    Ok(identity) => verifying.proved(identity),
                    Err(refusal) => verifying.refused(refusal.logged("AUTH")),
                };
                self.settle(settled, used, output)
            }
            Step::Proof(verifying, proof) => {
                let intake = self.intake.as_ref();
                let verdict =
                    intake.scram_login_from(self.peer, &proof.user, &proof.auth_message, &proof.proof).await;
                let settled = match verdict {
                    Ok((identity, signature)) => verifying.signed(identity, &signature),
                    Err(refusal) => verifying.refused(refusal.logged("AUTH")),
                };
                self.settle(settled, used, output)
            }
            Step::Open(opening, transaction, Carriage::Data) => {
                self.open_data(opening, transaction, used, output).await
            }
            Step::Open(opening, transaction, Carriage::Chunks(chunk)) => {
                let opened = self.open(&opening, transaction).await;
                let lines = Counted::new(self.options.limits.data_line);
                let chunks = Chunks { parcel: Parcel::new(opened), lines };
                self.begin_chunk(opening.begun(), chunks, chunk, used, output)
            }
            Step::Chunk(session, chunks, chunk) => self.begin_chunk(session, chunks, chunk, used, output),
        }
    }

    async fn open(
        &self,
        opening: &Opening<N>,
        transaction: Transaction<N::Class>,
    ) -> Result<N::Delivery, Refusal> {
        self.intake.open(opening.identity(), &opening.circumstance(), transaction).await
    }

    async fn open_data(
        self,
        opening: Opening<N>,
        transaction: Transaction<N::Class>,
        used: usize,
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        match self.open(&opening, transaction).await {
            Ok(delivery) => {
                let (session, reply) = opening.opened();
                reply.write(output);
                let decoder = Decoder::new(self.options.limits.data_line);
                self.on(Phase::Data(session, decoder, Parcel::new(Ok(delivery))), used)
            }
            Err(refusal) => self.settle(opening.refused(refusal.logged("DATA")), used, output),
        }
    }

    /// One piece of a message by DATA. A refused one is read to its end, which is where the peer looks for the reply.
    pub(super) async fn data(
        self,
        session: Receiving<N>,
        mut decoder: Decoder,
        mut parcel: Parcel<N::Delivery>,
        input: &mut [u8],
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        let length = input.len().min(PIECE);
        if length == 0 {
            return self.read(Phase::Data(session, decoder, parcel));
        }
        let piece = &mut input[..length];
        let (content, end) = match decoder.decode(piece) {
            Decoded::Violation(violation) => return self.violated(violation, violation.in_data(), output),
            Decoded::More(content) => (content, None),
            Decoded::End(content, used) => (content, Some(used)),
        };
        if let Err(Endless) = parcel.take(&piece[..content], &self.options.limits).await {
            return self.endless(parcel, output);
        }
        match end {
            None => self.on(Phase::Data(session, decoder, parcel), length),
            Some(used) => self.finish(session, parcel, used, output).await,
        }
    }

    /// A chunk is announced. It is judged by its size before it is read.
    fn begin_chunk(
        self,
        session: Receiving<N>,
        mut chunks: Chunks<N::Delivery>,
        chunk: Chunk,
        used: usize,
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        match chunks.parcel.expect(chunk.octets, &self.options.limits) {
            Ok(()) => {
                let expected = Expected { chunk, left: chunk.octets };
                self.on(Phase::Chunk(session, chunks, expected), used)
            }
            Err(Endless) => self.endless(chunks.parcel, output),
        }
    }

    /// One piece of a chunk, all of it content.
    pub(super) async fn chunk(
        self,
        session: Receiving<N>,
        mut chunks: Chunks<N::Delivery>,
        mut expected: Expected,
        input: &mut [u8],
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        let length = within(expected.left, input.len().min(PIECE));
        if expected.left > 0 && length == 0 {
            return self.read(Phase::Chunk(session, chunks, expected));
        }
        let piece = &input[..length];
        if let Err(violation) = chunks.lines.judge(piece) {
            return self.violated(violation, violation.in_data(), output);
        }
        if let Err(Endless) = chunks.parcel.take(piece, &self.options.limits).await {
            return self.endless(chunks.parcel, output);
        }
        expected.left -= length as u64;
        match (expected.left, expected.chunk.position) {
            (0, Position::Last) => self.finish_chunks(session, chunks, length, output).await,
            (0, Position::Before) => {
                let settled = after_chunk(session, chunks, expected.chunk.octets);
                self.settle(settled, length, output)
            }
            _ => self.on(Phase::Chunk(session, chunks, expected), length),
        }
    }

    /// The last chunk is there. A last line without an end gets one, as from every server that passes it on by DATA.
    async fn finish_chunks(
        self,
        session: Receiving<N>,
        chunks: Chunks<N::Delivery>,
        used: usize,
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        let Chunks { mut parcel, lines } = chunks;
        let taken = match lines.end() {
            Ok(Whole::Yes) => Ok(()),
            Ok(Whole::NoLineEnd) => parcel.take(b"\r\n", &self.options.limits).await,
            Err(violation) => return self.violated(violation, violation.in_data(), output),
        };
        match taken {
            Ok(()) => self.finish(session, parcel, used, output).await,
            Err(Endless) => self.endless(parcel, output),
        }
    }

    /// The end of a message: only now does the peer learn what became of it.
    async fn finish(
        mut self,
        session: Receiving<N>,
        parcel: Parcel<N::Delivery>,
        used: usize,
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        let octets = parcel.size();
        let settled = match parcel.finish().await {
            Word::Taken(text) => {
                self.counts.messages += 1;
                info!(octets, reply = %text, "message stored");
                session.stored(text)
            }
            Word::Refused(refusal) => session.refused(refusal.logged("end of data")),
            Word::Again(refusal) => session.refused_again(refusal),
        };
        self.settle(settled, used, output)
    }

    /// The octets of a chunk that nobody wants; more than a message may have are not waited for.
    fn begin_skip(self, octets: u64, settled: Settled<N>, used: usize, output: &mut Vec<u8>) -> Advance<N> {
        let limits = &self.options.limits;
        if octets > limits.message_size.saturating_add(limits.overrun) {
            let close = Settled::Close(Refusal::TooLarge.logged("BDAT").into(), Ending::Chunk);
            return self.settle(close, used, output);
        }
        match settled {
            Settled::Next(..) => self.on(Phase::Skipping(octets, settled), used),
            Settled::Close(..) => self.settle(settled, used, output),
        }
    }

    pub(super) fn skip(
        self,
        left: u64,
        settled: Settled<N>,
        input: &mut [u8],
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        let length = within(left, input.len());
        match left - length as u64 {
            0 => self.settle(settled, length, output),
            left if length == 0 => self.read(Phase::Skipping(left, settled)),
            left => self.on(Phase::Skipping(left, settled), length),
        }
    }

    fn settle(self, settled: Settled<N>, used: usize, output: &mut Vec<u8>) -> Advance<N> {
        match settled {
            Settled::Next(session, reply) => {
                reply.write(output);
                self.on(Phase::Commands(session), used)
            }
            Settled::Close(reply, ending) => {
                reply.write(output);
                Advance::Leave(Next::Close(self.close(ending.reason())), used)
            }
        }
    }

    /// There is no end to the message, so there is nowhere to say why it is refused but here.
    fn endless(self, parcel: Parcel<N::Delivery>, output: &mut Vec<u8>) -> Advance<N> {
        let refusal = parcel.refusal().unwrap_or(Refusal::TooLarge);
        self.violated(Violation::Endless, refusal.into(), output)
    }

    /// The framing is broken: nothing of what follows can be trusted to be what it seems.
    fn violated(self, violation: Violation, reply: Reply, output: &mut Vec<u8>) -> Advance<N> {
        info!(?violation, code = reply.code(), "closed for a violation");
        reply.write(output);
        Advance::Leave(Next::Close(self.close("violation")), 0)
    }

    fn on(self, phase: Phase<N>, used: usize) -> Advance<N> {
        Advance::On(Dialogue { context: self, phase }, used)
    }

    fn read(self, phase: Phase<N>) -> Advance<N> {
        Advance::Leave(Next::Read(Dialogue { context: self, phase }), 0)
    }
}

/// These steps end a group (RFC 2920 §3.1, RFC 3207 §4.2): what comes behind without waiting for the reply was put
/// there by somebody else, or would be read as something else. BDAT ends none, since its octets are counted.
fn ends_group<N: Intake>(step: &Step<N>) -> bool {
    match step {
        Step::Settled(_) | Step::Skip(..) | Step::Chunk(..) | Step::Open(_, _, Carriage::Chunks(_)) => false,
        Step::StartTls(..) | Step::Login(..) | Step::Proof(..) | Step::Open(_, _, Carriage::Data) => true,
    }
}

/// Each chunk has an answer of its own.
fn after_chunk<N: Intake>(session: Receiving<N>, mut chunks: Chunks<N::Delivery>, octets: u64) -> Settled<N> {
    match chunks.parcel.word() {
        Word::Taken(()) => session.chunk_taken(chunks, octets),
        Word::Refused(refusal) => session.chunk_refused(chunks, refusal.logged("BDAT")),
        Word::Again(refusal) => session.chunk_refused_again(chunks, refusal),
    }
}

/// So many of `there` octets as belong to what is `left`.
fn within(left: u64, there: usize) -> usize {
    usize::try_from(left).map_or(there, |left| left.min(there))
}
