//! How many places one peer or one person holds at the same time, so that nobody takes the room of all.

use std::collections::HashMap;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

/// Places by whose they are; only those who hold one are remembered.
#[derive(Debug)]
pub(crate) struct Crowd<K> {
    most: usize,
    held: Arc<Mutex<HashMap<K, usize>>>,
}

/// One place; free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat<K: Eq + Hash> {
    whose: K,
    held: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Clone + Eq + Hash> Crowd<K> {
    /// At most `most` places for each.
    pub(crate) fn of(most: usize) -> Self {
        Self { most, held: Arc::default() }
    }

    /// One more place; none when all that one may have are taken.
    pub(crate) fn enter(&self, whose: K) -> Option<Seat<K>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let places = held.get(&whose).copied().unwrap_or(0);
        if places >= self.most {
            return None;
        }
        held.insert(whose.clone(), places + 1);
        Some(Seat { whose, held: Arc::clone(&self.held) })
    }
}

impl<K: Eq + Hash> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.whose) {
            Some(places) if *places > 1 => *places -= 1,
            _ => drop(held.remove(&self.whose)),
        }
    }
}

impl<K: Eq + Hash + Unpin + Send + 'static> Seat<K> {
    /// The answer, which keeps the place until all of it has left or its reader is gone.
    pub(crate) fn until_sent(self, response: Response) -> Response {
        response.map(|body| Body::new(Leaving { body, _seat: self }))
    }
}

/// A body on its way out, with the place it holds.
struct Leaving<K: Eq + Hash> {
    body: Body,
    _seat: Seat<K>,
}

impl<K: Eq + Hash + Unpin> HttpBody for Leaving<K> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_takes_no_more_than_its_places_and_gives_them_back() {
        let crowd = Crowd::of(2);
        let first = crowd.enter("one");
        let second = crowd.enter("one");
        assert!(first.is_some() && second.is_some());
        assert!(crowd.enter("one").is_none());
        assert!(crowd.enter("other").is_some(), "another is not held up");
        drop(first);
        assert!(crowd.enter("one").is_some());
        drop(second);
        assert!(crowd.held.lock().unwrap().is_empty(), "who holds nothing is forgotten");
    }

    #[test]
    fn a_place_is_held_until_the_answer_has_left() {
        let crowd = Crowd::of(1);
        let place = crowd.enter("one").unwrap();
        let answer = place.until_sent(Response::new(Body::from("page")));
        assert_eq!(answer.body().size_hint().exact(), Some(4), "a length is still known");
        assert!(crowd.enter("one").is_none());
        drop(answer);
        assert!(crowd.enter("one").is_some());
    }
}
