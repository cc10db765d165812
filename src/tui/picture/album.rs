//! Pictures that were asked for, and what became of them.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Picture, Request, render};

/// As many are kept; with more, those that are not shown go.
const MOST: usize = 200;

/// What is known of a picture.
#[derive(Debug, Clone)]
pub enum Slot {
    /// A thread is at work on it.
    Awaited,
    /// With a number of its own, by which a terminal knows it.
    Ready(u32, Arc<Picture>),
    /// What is wrong with it.
    Broken(String),
}

/// What a thread made of a page's pictures.
#[derive(Debug)]
pub struct Page(Vec<(Request, Result<Picture, String>)>);

impl Page {
    /// Makes them, one after the other.
    pub fn make(requests: Vec<Request>) -> Page {
        let make = |request: Request| {
            let made = render(&request);
            (request, made)
        };
        Page(requests.into_iter().map(make).collect())
    }
}

/// The pictures.
#[derive(Debug, Default)]
pub struct Album {
    slots: HashMap<Request, Slot>,
    last: u32,
}

impl Album {
    /// Those of the pictures that are not there yet and nobody is at work on; from now on somebody is.
    pub fn missing(&mut self, wanted: &[Request]) -> Vec<Request> {
        if self.slots.len() > MOST {
            self.slots.retain(|request, _| wanted.contains(request));
        }
        let mut missing = Vec::new();
        for request in wanted.iter().filter(|request| !request.room.width.min(request.room.height).eq(&0)) {
            self.slots.entry(request.clone()).or_insert_with(|| {
                missing.push(request.clone());
                Slot::Awaited
            });
        }
        missing
    }

    /// Takes what was made.
    pub fn take(&mut self, page: Page) {
        for (request, made) in page.0 {
            let slot = match made {
                Ok(picture) => {
                    self.last += 1;
                    Slot::Ready(self.last, Arc::new(picture))
                }
                Err(reason) => Slot::Broken(reason),
            };
            self.slots.insert(request, slot);
        }
    }

    /// What is known of a picture, if it was asked for.
    pub fn get(&self, request: &Request) -> Option<&Slot> {
        self.slots.get(request)
    }

    /// Forgets the files, which may be others by now; their numbers are not given again.
    pub fn clear(&mut self) {
        self.slots.clear();
    }
}
