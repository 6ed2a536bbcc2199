//! What becomes of one message while it comes in: it goes into its sink, or it is refused and only counted, so that the
//! refusal can be said at its end. It knows no framing.

use super::intake::Delivery;
use super::options::Limits;
use super::reply::Refusal;

/// One message on its way.
pub(crate) struct Parcel<D> {
    /// Octets so far.
    size: u64,
    fate: Fate<D>,
}

enum Fate<D> {
    /// It goes into its sink; in a box, so that connections without a message do not carry the room for it.
    Welcome(Box<D>),
    /// It is refused; the peer does not know yet.
    Refused(Refusal),
    /// It is refused, and the peer was told.
    Told(Refusal),
}

/// More than is read of a message that is refused already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endless;

/// What a peer hears of a message in chunks, or at its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Word<T> {
    Taken(T),
    Refused(Refusal),
    /// The same refusal once more.
    Again(Refusal),
}

impl<D: Delivery> Parcel<D> {
    pub(crate) fn new(opened: Result<D, Refusal>) -> Self {
        let fate = match opened {
            Ok(delivery) => Fate::Welcome(Box::new(delivery)),
            Err(refusal) => Fate::Refused(refusal),
        };
        Self { size: 0, fate }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// So many octets are announced. A message that will be too large is refused before they are read, and one that
    /// has no end is not read at all.
    pub(crate) fn expect(&mut self, octets: u64, limits: &Limits) -> Result<(), Endless> {
        let size = self.size.saturating_add(octets);
        if size > limits.message_size.saturating_add(limits.overrun) {
            return Err(Endless);
        }
        if size > limits.message_size {
            self.refuse(Refusal::TooLarge);
        }
        Ok(())
    }

    /// Takes the next octets.
    pub(crate) async fn take(&mut self, octets: &[u8], limits: &Limits) -> Result<(), Endless> {
        self.expect(octets.len() as u64, limits)?;
        self.size += octets.len() as u64;
        if let Fate::Welcome(delivery) = &mut self.fate
            && !octets.is_empty()
            && let Err(refusal) = delivery.chunk(octets).await
        {
            self.refuse(refusal);
        }
        Ok(())
    }

    /// What the peer hears now, in the middle of the message.
    pub(crate) fn word(&mut self) -> Word<()> {
        match &self.fate {
            Fate::Welcome(_) => Word::Taken(()),
            Fate::Told(refusal) => Word::Again(refusal.clone()),
            Fate::Refused(refusal) => {
                let refusal = refusal.clone();
                self.fate = Fate::Told(refusal.clone());
                Word::Refused(refusal)
            }
        }
    }

    /// Why it is refused so far; none if it is not.
    pub(crate) fn refusal(self) -> Option<Refusal> {
        match self.fate {
            Fate::Welcome(_) => None,
            Fate::Refused(refusal) | Fate::Told(refusal) => Some(refusal),
        }
    }

    /// The message is complete. What is taken now is durable.
    pub(crate) async fn finish(self) -> Word<String> {
        match self.fate {
            Fate::Welcome(delivery) => match delivery.close().await {
                Ok(text) => Word::Taken(text),
                Err(refusal) => Word::Refused(refusal),
            },
            Fate::Refused(refusal) => Word::Refused(refusal),
            Fate::Told(refusal) => Word::Again(refusal),
        }
    }

    /// The first refusal stays; the sink is let go of.
    fn refuse(&mut self, refusal: Refusal) {
        if let Fate::Welcome(_) = self.fate {
            self.fate = Fate::Refused(refusal);
        }
    }
}
