//! Explores every reachable state, breadth first, and so finds the shortest way to a wrong one.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;

/// What can be done next, and what comes of each.
pub type Steps<M> = Vec<(<M as Model>::Action, Result<<M as Model>::State, String>)>;

/// Something that goes from state to state.
pub trait Model: Sized {
    type State: Clone;
    type Action: Clone + Debug;

    fn initial(&self) -> Vec<Self::State>;

    /// What tells two states apart.
    fn key(&self, state: &Self::State) -> u128;

    /// # Errors
    /// The action breaks a promise.
    fn steps(&self, state: &Self::State) -> Steps<Self>;

    /// # Errors
    /// The state breaks a promise.
    fn check(&self, state: &Self::State) -> Result<(), String>;

    /// Whether this is an end. Every state must lead to one.
    fn is_end(&self, state: &Self::State) -> bool;
}

pub struct Explored {
    pub states: usize,
    pub steps: usize,
    pub ends: usize,
}

struct Explorer<M: Model> {
    numbers: HashMap<u128, usize>,
    /// How each state was come to first.
    came_from: Vec<Option<(usize, M::Action)>>,
    came_to: Vec<(usize, usize)>,
    ends: Vec<bool>,
    waiting: VecDeque<(usize, M::State)>,
}

/// # Errors
/// The shortest way to a broken promise.
pub fn explore<M: Model>(model: &M) -> Result<Explored, String> {
    let mut explorer = Explorer::<M> {
        numbers: HashMap::new(),
        came_from: Vec::new(),
        came_to: Vec::new(),
        ends: Vec::new(),
        waiting: VecDeque::new(),
    };
    for state in model.initial() {
        explorer.reach(model, None, state)?;
    }
    while let Some((number, state)) = explorer.waiting.pop_front() {
        for (action, next) in model.steps(&state) {
            let from = Some((number, action));
            match next {
                Ok(next) => explorer.reach(model, from, next)?,
                Err(broken) => return Err(explorer.way(from, &broken)),
            }
        }
    }
    explorer.all_can_end()
}

impl<M: Model> Explorer<M> {
    fn reach(
        &mut self,
        model: &M,
        from: Option<(usize, M::Action)>,
        state: M::State,
    ) -> Result<(), String> {
        let key = model.key(&state);
        if let Some(known) = self.numbers.get(&key) {
            self.came_to.extend(from.map(|(from, _)| (from, *known)));
            return Ok(());
        }
        let number = self.came_from.len();
        if let Err(broken) = model.check(&state) {
            return Err(self.way(from, &broken));
        }
        self.numbers.insert(key, number);
        self.came_to
            .extend(from.as_ref().map(|(from, _)| (*from, number)));
        self.came_from.push(from);
        self.ends.push(model.is_end(&state));
        self.waiting.push_back((number, state));
        Ok(())
    }

    /// The actions that led there.
    fn way(&self, mut from: Option<(usize, M::Action)>, broken: &str) -> String {
        let mut actions = Vec::new();
        while let Some((number, action)) = from {
            actions.push(format!("{action:?}"));
            from = self.came_from[number].clone();
        }
        actions.reverse();
        format!("{}\n{broken}", actions.join("\n"))
    }

    /// Goes back from the ends.
    fn all_can_end(&self) -> Result<Explored, String> {
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.came_from.len()];
        for (from, to) in &self.came_to {
            before[*to].push(*from);
        }
        let mut can_end = self.ends.clone();
        let mut waiting: Vec<usize> = (0..can_end.len())
            .filter(|number| can_end[*number])
            .collect();
        while let Some(number) = waiting.pop() {
            for earlier in &before[number] {
                if !std::mem::replace(&mut can_end[*earlier], true) {
                    waiting.push(*earlier);
                }
            }
        }
        match can_end.iter().position(|can_end| !can_end) {
            Some(stuck) => Err(self.way(
                self.came_from[stuck].clone(),
                "from here, no end can be reached",
            )),
            None => Ok(Explored {
                states: self.came_from.len(),
                steps: self.came_to.len(),
                ends: self.ends.iter().filter(|end| **end).count(),
            }),
        }
    }
}
